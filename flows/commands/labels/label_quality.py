"""`weakspot label-quality`: how good the labels of an audit are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl


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
    from flows.commands.exports.table_file import check_target, write_table
    from flows.commands.labels.quality_tables import print_quality

    if csv is not None:
        check_target(csv, suffixes=(".csv",))
    frames = measure_audit(audit, attribute=attribute)
    if csv is not None:
        write_table(frames["label_quality"], csv)
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
    from flows.stages.judging.label_quality import measure_labels
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
