"""What `pipeline.slices` exports exists, is documented, and its examples are true."""

import dataclasses
import doctest
import inspect
from importlib import import_module
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest

import pipeline.slices
from flows.commands.slices import EngineName
from pipeline.config.audit import SliceSearch
from pipeline.slices import AuditOptions, SearchOptions, audit_slices, find_weaknesses
from pipeline.slices import search_slices as search
from pipeline.slices.options import Engine


def list_examples(name: str) -> list[doctest.DocTest]:
    exported = getattr(pipeline.slices, name)
    names = vars(import_module(exported.__module__))
    found = doctest.DocTestFinder(recurse=False).find(
        exported, name, globs=names | {"pl": pl}, module=False
    )
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", pipeline.slices.__all__)
def test_every_exported_name_has_an_example_that_is_true(name: str) -> None:
    examples = list_examples(name)
    assert examples, f"{name} has no example in its docstring"
    runner = doctest.DocTestRunner()
    for test in examples:
        assert runner.run(test).failed == 0, f"the example of {name} is not true"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="search_magic"):
        _ = pipeline.slices.search_magic


def test_the_command_line_and_the_audit_file_have_the_same_engines_and_defaults() -> None:
    assert {engine.value for engine in EngineName} == set(get_args(Engine))
    section, options = SliceSearch(), AuditOptions()
    for name in ("alpha", "max_level", "min_support", "engine", "confirm", "seed"):
        assert getattr(section, name) == getattr(options, name)
    assert set(get_args(SliceSearch.model_fields["engine"].annotation)) == set(get_args(Engine))


def test_no_function_spells_an_option_again() -> None:
    options = {field.name for field in dataclasses.fields(AuditOptions)}
    for function in (search, audit_slices, find_weaknesses):
        assert not options & set(inspect.signature(function).parameters)


@pytest.mark.parametrize("function", [search, find_weaknesses])
def test_options_and_keywords_ask_for_the_same(function: Any) -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({name: rng.integers(0, 3, 600) for name in "abc"})
    errors = (rng.random(600) < np.where(table["a"] == 1, 0.5, 0.1)).astype(float)
    kind = SearchOptions if function is search else AuditOptions
    by_options = function(table, errors, options=kind(max_level=1, min_support=30))
    assert by_options.height > 0
    assert by_options["level"].max() == 1
    assert by_options.equals(function(table, errors, max_level=1, min_support=30))
    # A keyword replaces that one field and keeps the others.
    changed = function(table, errors, options=kind(max_level=2, min_support=30), max_level=1)
    assert by_options.equals(changed)


@pytest.mark.parametrize("function", [search, audit_slices, find_weaknesses])
def test_an_unknown_option_is_a_type_error_that_names_it(function: Any) -> None:
    with pytest.raises(TypeError, match="magic"):
        function(pl.DataFrame({"a": ["x"]}), np.ones(1), magic=1)


def test_top_of_an_audit_limits_the_findings_not_the_family() -> None:
    rng = np.random.default_rng(1)
    table = pl.DataFrame({name: rng.integers(0, 4, 4000) for name in "abc"})
    weak = ((table["a"] == 1) | (table["b"] == 2)).to_numpy()
    errors = (rng.random(4000) < np.where(weak, 0.6, 0.1)).astype(float)
    every = audit_slices(table, errors, permutations=0)
    one = audit_slices(table, errors, permutations=0, top=1)
    assert every.findings.height > one.findings.height == 1
    assert one.family.equals(every.family)
