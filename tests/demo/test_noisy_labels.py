"""The demo with poor labels: what is spoilt, how a sheet is answered, what is printed."""

from pathlib import Path

import numpy as np
import polars as pl

from pipeline.config.audit import read_audit
from pipeline.demo.audit_files import SYSTEM, write_audit
from pipeline.demo.noisy_labels import (
    LabelledTruth,
    answer_sheet,
    spoil_labels,
    write_corrections,
)
from pipeline.demo.world import World
from pipeline.labels.attribute_file import read_attribute
from pipeline.tables import CORRECTIONS, FINDINGS

CHILD = [{"attribute": "age", "value": "child"}]


def test_one_attribute_has_vague_prompts_no_true_values_and_no_probe(tmp_path: Path) -> None:
    world = World(
        images=tmp_path / "world" / "images",
        annotations=tmp_path / "world" / "annotations.json",
        attributes=tmp_path / "world" / "attributes.csv",
        conditions=tmp_path / "world" / "conditions.csv",
        n_images=1,
        n_people=1,
    )
    path = write_audit(tmp_path, world, systems={SYSTEM: "found.json"}, min_score=0.5)
    before = read_audit(path)
    spoil_labels(path)
    audit = read_audit(path)
    assert before.dataset.truth is not None
    assert audit.dataset.truth is not None
    assert set(before.dataset.truth.attributes) - set(audit.dataset.truth.attributes) == {"age"}
    assert audit.attributes.probe == "never"
    attribute = read_attribute(tmp_path / "attributes" / "age.toml")
    assert {value: len(prompts) for value, prompts in attribute.values.items()} == {
        "adult": 1,
        "child": 1,
        "senior": 1,
    }
    assert attribute.sensitive


def test_a_sheet_is_answered_as_the_world_has_it() -> None:
    sheet = pl.DataFrame(
        {
            "annotation_id": ["2", "1"],
            "attribute": ["age", "age"],
            "shown": ["child", "child"],
            "answer": [None, None],
            "value": [None, None],
        },
        schema_overrides={"answer": pl.String, "value": pl.String},
    )
    truth = pl.DataFrame({"annotation_id": [1, 2], "age": ["adult", "child"]})
    answered = answer_sheet(sheet, truth)
    assert answered.columns == sheet.columns
    assert answered.select("annotation_id", "answer", "value").rows() == [
        ("2", "right", "child"),
        ("1", "wrong", "adult"),
    ]


def test_each_slice_is_printed_as_labelled_corrected_and_true() -> None:
    people = LabelledTruth(
        labels=pl.DataFrame({"age": ["child"] * 4 + ["adult"] * 4}),
        truth=pl.DataFrame({"age": ["child"] * 2 + ["adult"] * 6}),
        errors=np.array([1.0, 1, 0, 0, 0, 0, 0, 0]),
    )
    row = {"predicates": CHILD, "corrected_error": 0.9, "corrected_low": 0.7,
           "corrected_high": 1.0}  # fmt: skip
    bounds = row | {"corrected_error": None}
    unknown = {"predicates": CHILD}
    text = write_corrections(
        pl.DataFrame([row, bounds, unknown], schema=dict(FINDINGS)),
        pl.DataFrame([row], schema=dict(CORRECTIONS)),
        people,
    )
    lines = [line.split("child")[1].split() for line in text.splitlines()[1:]]
    assert lines == [
        ["0.500", "0.900", "(0.700", "to", "1.000)", "1.000"],
        ["0.500", "0.700", "to", "1.000", "1.000"],
        ["0.500", "not", "corrected", "1.000"],
        ["0.500", "0.900", "(0.700", "to", "1.000)", "1.000", "(worth", "checking)"],
    ]
