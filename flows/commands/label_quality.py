"""`weakspot label-quality`: how good the labels of an audit are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table


def label_quality(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    attribute: Annotated[
        str | None, typer.Option(help="Show this attribute alone, with its confusion.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the table to this file as well.", dir_okay=False)
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Measure the labels against true values or checks, and other ways of making them."""
    from flows.commands.console import open_console

    frames = measure_audit(audit, attribute=attribute)
    if csv is not None:
        _write_csv(frames["label_quality"], csv)
    if json_output:
        content = {name: frame.to_dicts() for name, frame in frames.items()}
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    print_quality(frames, open_console(), attribute=attribute)
    if csv is not None:
        typer.echo(f"wrote {frames['label_quality'].height:,} rows to {csv}")


def measure_audit(audit: Path, *, attribute: str | None = None) -> "dict[str, pl.DataFrame]":
    """Return the tables of QUALITY_TABLES of an audit, or of one of its attributes.

    Raises ConfigError for an attribute that the audit does not use, and what `measure_labels`
    raises.
    """
    import polars as pl

    from flows.run.resolved_audit import resolve_audit
    from flows.stages.label_quality import measure_labels
    from pipeline.exceptions import ConfigError
    from pipeline.files.toml_file import nearest
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    resolved = resolve_audit(audit)
    names = [one.name for one in resolved.attributes]
    if attribute is not None and attribute not in names:
        raise ConfigError(f"{audit}: no attribute {attribute!r}; {nearest(attribute, names)}")
    store = find_store(resolved.audit.workspace)
    with lock_workspace(resolved.audit.workspace):
        frames = measure_labels(resolved, store)
    if attribute is None:
        return frames
    return {name: one.filter(pl.col("attribute") == attribute) for name, one in frames.items()}


def print_quality(
    frames: "Mapping[str, pl.DataFrame]", console: "Console", *, attribute: str | None
) -> None:
    """Print the methods side by side, the values of the labels in use, and what scores suggest.

    attribute: the only one that is printed, with more of it; None for all.
    """
    import polars as pl

    quality = frames["label_quality"]
    if quality.is_empty():
        console.print(
            "No label is judged: give true values in [dataset.truth], or check some with "
            "`weakspot check-labels`.",
            soft_wrap=True,
            markup=False,
        )
    else:
        console.print(_tabulate_methods(quality))
        console.print(_tabulate_values(quality))
    if attribute is not None and not quality.is_empty():
        console.print(_tabulate_confusion(frames["label_confusion"]))
    calibration = frames["label_calibration"].filter(pl.col("value").is_null())
    if not calibration.is_empty():
        console.print(_tabulate_calibration(calibration))
    if not frames["label_thresholds"].is_empty():
        console.print(_tabulate_thresholds(frames["label_thresholds"]))


def _tabulate_methods(quality: "pl.DataFrame") -> "Table":
    import polars as pl

    from pipeline.tables import IN_USE

    whole = quality.filter(pl.col("value").is_null())
    methods = [one for one in whole["method"].unique(maintain_order=True) if one != IN_USE]
    table = _open_table(
        "Accuracy of the labels, and of other ways to read the same prompts",
        ["attribute"],
        ["judged by", "n", *methods, "in use", "95 %", "unknown"],
    )
    by_key = {(row["attribute"], row["method"]): row for row in whole.to_dicts()}
    for name in whole["attribute"].unique(maintain_order=True):
        own = by_key[name, IN_USE]
        others = [_write(by_key.get((name, one), {}).get("accuracy")) for one in methods]
        _add_row(
            table,
            name, own["judged_by"], f"{own['n']:,}", *others,
            _write(own["accuracy"]), _write_ends(own, "accuracy"), _write(own["abstention"]),
        )  # fmt: skip
    return table


def _tabulate_values(quality: "pl.DataFrame") -> "Table":
    import polars as pl

    from pipeline.tables import IN_USE

    table = _open_table(
        "Labels in use by value",
        ["attribute", "value"],
        ["true", "labelled", "precision", "95 %", "recall", "95 %", "F1", "95 %"],
    )
    rows = quality.filter((pl.col("method") == IN_USE) & pl.col("value").is_not_null())
    for row in rows.to_dicts():
        shares = [
            text
            for name in ("precision", "recall", "f1")
            for text in (_write(row[name]), _write_ends(row, name))
        ]
        _add_row(
            table,
            row["attribute"],
            row["value"],
            f"{row['support']:,}",
            f"{row['labelled']:,}",
            *shares,
        )
    return table


def _tabulate_confusion(confusion: "pl.DataFrame") -> "Table":
    import polars as pl

    from pipeline.tables import IN_USE

    table = _open_table(
        "Labels in use of each true value", ["truth", "labelled"], ["n", "share", "95 %"]
    )
    for row in confusion.filter(pl.col("method") == IN_USE).to_dicts():
        shares = (_write(row["share"]), _write_ends(row, "share"))
        _add_row(table, row["truth"], row["value"], f"{row['n']:,}", *shares)
    return table


def _tabulate_calibration(calibration: "pl.DataFrame") -> "Table":
    table = _open_table(
        "Expected calibration error of the scores",
        ["attribute"],
        ["n", "as they are", "after a fit", "fit"],
    )
    for row in calibration.to_dicts():
        errors = (row["calibration_error"], row["calibration_error_fitted"])
        _add_row(table, row["attribute"], f"{row['n']:,}", *map(_write, errors), row["fit"])
    return table


def _tabulate_thresholds(thresholds: "pl.DataFrame") -> "Table":
    table = _open_table(
        "Margins: by truth or checks for a precision, or suggested by the scores alone",
        ["attribute", "value"],
        ["from", "wanted", "margin", "precision", "at least", "kept", "note"],
    )
    for row in thresholds.to_dicts():
        shares = [row[name] for name in ("precision", "precision_low", "kept")]
        _add_row(
            table,
            row["attribute"], row["value"], row["origin"], _write(row["wanted"]),
            _write(row["margin"]), *map(_write, shares), row["note"] or "",
        )  # fmt: skip
    return table


def _add_row(table: "Table", *cells: str) -> None:
    from rich.text import Text

    table.add_row(*map(Text, cells))  # a value such as [0, 1] is no markup


def _open_table(title: str, names: list[str], numbers: list[str]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="left" if name == "note" else "right")
    return table


def _write(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _write_ends(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _write_csv(frame: "pl.DataFrame", path: Path) -> None:
    from pipeline.exceptions import ConfigError
    from pipeline.files.whole_files import replace_file

    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.absolute().parent}; make it first")
    try:
        with replace_file(path) as partial:
            frame.write_csv(partial)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
