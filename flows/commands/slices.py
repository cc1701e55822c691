"""`weakspot slices`: the slice search alone, on any table with an error column; no Prefect."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from flows.commands.console import open_console, print_result
from flows.commands.exports.wide_columns import drop_outputs
from pipeline.exceptions import ConfigError, TableError
from pipeline.slices.options import AuditOptions, Condition

if TYPE_CHECKING:
    import polars as pl

    from pipeline.slices import SliceResult


DEFAULTS = AuditOptions()


class EngineName(StrEnum):
    """The engines of the search."""

    auto = "auto"
    cube = "cube"
    depth_first = "depth-first"
    sliceline = "sliceline"


def slices(
    table: Annotated[Path, typer.Argument(help="A Parquet or CSV file, one row per sample.")],
    *,
    error: Annotated[str, typer.Option(help="The column of errors: numbers of 0 or more.")],
    attributes: Annotated[
        str | None, typer.Option(help="Columns to search, A,B,...; all others without it.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="A column that says how often rows count.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="A column of image ids whose rows belong together.")
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="Weight of the error against the size, 0 to 1.")
    ] = DEFAULTS.alpha,
    max_level: Annotated[
        int, typer.Option(help="Most conditions of a slice, 1 to 4.")
    ] = DEFAULTS.max_level,
    min_support: Annotated[
        float, typer.Option(help="Rows a slice needs: a share below 1, else a count.")
    ] = DEFAULTS.min_support,
    top: Annotated[int, typer.Option(min=1, help="Slices and findings to show.")] = 15,
    engine: Annotated[EngineName, typer.Option(help="How to search.")] = EngineName.auto,
    confirm: Annotated[
        float, typer.Option(help="Share of the rows held out to confirm findings, 0 to 1.")
    ] = DEFAULTS.confirm,
    seed: Annotated[int, typer.Option(help="Of the split and the permutations.")] = DEFAULTS.seed,
    permutations: Annotated[
        int, typer.Option(min=0, help="Behind the family-wise p; 0: Bonferroni's instead.")
    ] = DEFAULTS.permutations,
    must: Annotated[
        list[str] | None, typer.Option(help="A or A=V: a condition that every slice has.")
    ] = None,
    must_not: Annotated[
        list[str] | None, typer.Option(help="A or A=V: a condition that no slice has.")
    ] = None,
    exclude_unknown: Annotated[
        bool, typer.Option("--exclude-unknown", help="No slice may say 'unknown'.")
    ] = False,
    ordered: Annotated[
        list[str] | None,
        typer.Option(help="A=V,W,...: the values of A in order; runs of adjacent ones count too."),
    ] = None,
    better: Annotated[
        bool, typer.Option("--better", help="Search for unusually small errors instead.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Search any table for slices where an error column is large, and say which hold up."""
    from pipeline.slices import audit_slices  # a second of imports that --help does not need

    started = time.perf_counter()
    log = Console(stderr=True, highlight=False)
    read = _read(
        table, error=error, attributes=_split(attributes), weights=weights, cluster_ids=groups
    )
    for note in read.notes:
        log.print(note, markup=False, soft_wrap=True)
    result = audit_slices(
        read.attributes,
        read.errors,
        weights=read.weights,
        cluster_ids=read.cluster_ids,
        options=AuditOptions(
            confirm=confirm,
            seed=seed,
            top=top,
            permutations=permutations,
            alpha=alpha,
            max_level=max_level,
            min_support=min_support,
            engine=engine.value,
            must=_parse_conditions(must),
            must_not=_parse_conditions(must_not),
            exclude_unknown=exclude_unknown,
            ordered=_parse_orders(ordered),
            direction="better" if better else "worse",
        ),
    )
    for note in result.notes:
        log.print(note, markup=False, soft_wrap=True)
    seconds = time.perf_counter() - started
    if json_output:
        typer.echo(_to_json(result, read.notes, top=top, seconds=seconds))
    else:
        print_result(result, open_console(), top=top)


@dataclass(frozen=True)
class _Read:
    """A user's table taken apart, with notes on what was changed or left out."""

    attributes: "pl.DataFrame"
    errors: "pl.Series"
    weights: "pl.Series | None"
    cluster_ids: "pl.Series | None"
    notes: list[str]


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _parse_conditions(texts: list[str] | None) -> list[Condition]:
    """Turn A and A=V into what the search takes."""
    parsed: list[Condition] = []
    for text in texts or []:
        name, equals, value = text.partition("=")
        parsed.append((name, value) if equals else name)
    return parsed


def _parse_orders(texts: list[str] | None) -> dict[str, list[str]]:
    """Turn A=V,W,... into what the search takes; commas inside brackets belong to a bin."""
    parsed: dict[str, list[str]] = {}
    for text in texts or []:
        name, equals, values = text.partition("=")
        listed = [v.strip() for v in re.split(r",(?![^(\[]*[)\]])", values) if v.strip()]
        if not equals or len(listed) < 2 or name in parsed:
            raise ConfigError(
                f"--ordered {text}: expected ATTRIBUTE=VALUE,VALUE,... once for an attribute, "
                "lowest first"
            )
        parsed[name] = listed
    return parsed


def _read(
    path: Path,
    *,
    error: str,
    attributes: list[str] | None,
    weights: str | None,
    cluster_ids: str | None,
) -> _Read:
    """Read the file and select its columns; list every requested column that is missing."""
    import polars as pl

    from pipeline.files.table_file import read_table

    table = read_table(path, error=TableError)
    requested = [error, *(name for name in (weights, cluster_ids) if name), *(attributes or [])]
    missing = [name for name in requested if name not in table.columns]
    if missing:
        raise ConfigError(
            f"{path}: no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, table.columns))}"
        )
    twice = sorted({name for name in requested if requested.count(name) > 1})
    if twice:
        raise ConfigError(f"{', '.join(map(repr, twice))}: a column can be used for one thing only")
    table, notes = drop_outputs(table, error=error, requested=requested)
    names = attributes or [name for name in table.columns if name not in requested]
    columns = [
        _make_attribute(table[name], notes, requested=attributes is not None) for name in names
    ]
    kept = [column for column in columns if column is not None]
    if not kept:
        raise TableError(f"{path}: no column is left to search beside {', '.join(requested)}")
    return _Read(
        pl.DataFrame(kept),
        _to_numbers(path, table[error]),
        None if weights is None else _to_numbers(path, table[weights]),
        None if cluster_ids is None else table[cluster_ids],
        notes,
    )


def _make_attribute(
    column: "pl.Series", notes: list[str], *, requested: bool
) -> "pl.Series | None":
    """Return a column as an attribute: empty cells become 'unknown', real numbers are left out."""
    import polars as pl

    from pipeline.files.table_file import to_text

    if column.dtype.is_float():
        text = to_text(column)
        if not requested and text.drop_nulls().str.contains(r"[.eE]|NaN|inf").any():
            notes.append(f"column {column.name!r} left out: real numbers; bin them to search them")
            return None
        column = text
    elif not (column.dtype.is_integer() or column.dtype == pl.Boolean):
        column = column.cast(pl.String)
    empty = column.null_count()
    if empty:
        notes.append(f"column {column.name!r}: {empty:,} empty cells are 'unknown'")
        column = column.cast(pl.String).fill_null("unknown")
    return column


def _to_numbers(path: Path, column: "pl.Series") -> "pl.Series":
    """Return a column as floats. Raises TableError with the rows that hold no number."""
    import polars as pl

    from pipeline.files.table_file import list_rows

    numbers = column.cast(pl.Float64, strict=False)
    wrong = numbers.is_null().arg_true().to_list()
    if wrong:
        found = ", ".join(repr(value) for value in column.gather(wrong[:3]).to_list())
        raise TableError(
            f"{path}: column {column.name!r} holds no number in {list_rows(wrong)} ({found}); "
            "expected a number of 0 or more in every row"
        )
    return numbers


def _to_json(result: "SliceResult", notes: Sequence[str], *, top: int, seconds: float) -> str:
    """Return the one object that --json prints."""
    content: dict[str, Any] = {
        "slices": result.family.head(top).to_dicts(),
        "findings": result.findings.to_dicts(),
        "n": result.search.n,
        "holdout_n": result.search.holdout_n,
        "error": result.error,
        "counted_slices": result.search.slices,
        "complete": result.search.complete,
        "engine": result.search.engine,
        "detectable_gap": result.detectable_gap,
        "mostly_wrong": result.mostly_wrong,
        "permutations": result.search.permutations,
        "notes": [*notes, *result.notes],
        "seconds": round(seconds, 3),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
