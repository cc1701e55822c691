"""`weakspot similar`: near duplicates in a workspace, also across splits."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from flows.stages.ranking.duplicates import FoundDuplicates

_SHOWN = 20  # groups that are printed
_PATHS = 3  # of a group that are printed


def similar(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    *,
    duplicates: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="The least cosine of two near duplicates.")
    ] = 0.98,
    split: Annotated[
        str | None,
        typer.Option(
            help="A column of splits, or folder: the first of the path. Without it the splits of "
            "the dataset, or folders named like train and val."
        ),
    ] = None,
    across: Annotated[
        bool, typer.Option("--across", help="Only groups that lie in several splits.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.csv or FILE.parquet: one row a sample; FILE.html: pictures.", dir_okay=False
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """List groups of near duplicates, and which of them leak from one split into another."""
    from flows.commands.exports.table_file import FLAT, check_target, write_table
    from flows.commands.ranking.duplicates_words import write_page
    from flows.retrieval.search_session import keep_access
    from flows.run.loaded_models import load_open_clip
    from flows.run.reading.kept_audit import read_kept_audit
    from flows.stages.ranking.duplicates import find_duplicates
    from pipeline.exceptions import ConfigError
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    if out is not None:
        check_target(out, suffixes=(*FLAT, ".html"), option="--out")
    store = find_store(workspace)
    with keep_access(store.folder), lock_workspace(workspace):
        found = find_duplicates(store, least=duplicates, split=split, load=load_open_clip)
        if across and len(found.sizes) < 2:
            raise ConfigError("--across: the samples are of one split; name a column with --split")
        rows = found.rows.filter("across_splits") if across else found.rows
        written = f"{rows.height:,} rows"
        if out is not None and out.suffix.lower() == ".html":
            root = read_kept_audit(store).dataset.root
            groups = write_page(found, rows, store.read_samples(), root, out, least=duplicates)
            written = f"{groups:,} groups"
        elif out is not None:
            write_table(rows, out)
    if json_output:
        typer.echo(json.dumps(_to_content(found, rows), ensure_ascii=False))
        return
    _print(found, rows, least=duplicates)
    if out is not None:
        typer.echo(f"wrote {written} to {out}")


def _to_content(found: "FoundDuplicates", rows: "pl.DataFrame") -> dict[str, Any]:
    return {
        "samples": found.samples,
        "without_vector": found.without_vector,
        "split": found.split,
        "sizes": found.sizes,
        "leaks": [
            {"split": one, "other": other, "samples": n} for one, other, n in found.count_leaks()
        ],
        "duplicates": rows.to_dicts(),
    }


def _print(found: "FoundDuplicates", rows: "pl.DataFrame", *, least: float) -> None:
    import polars as pl

    from flows.commands.console import open_console
    from flows.commands.ranking.duplicates_words import describe_found
    from flows.commands.ranking.plain_tables import add_row, open_table, print_whole

    console = open_console()
    for line in describe_found(found, least=least):
        console.print(line, soft_wrap=True, markup=False)
    if rows.is_empty():
        return
    groups = rows.group_by("group", maintain_order=True).agg(
        pl.col("kind", "size", "least_cosine").first(),
        splits=pl.col("split").drop_nulls().unique().sort(),
        paths=pl.concat_str("path", pl.lit(" #") + pl.col("annotation_id"), ignore_nulls=True),
    )
    title = "Near duplicates, those across splits first"
    if groups.height > _SHOWN:
        title += f"; {groups.height - _SHOWN:,} more groups: --out or --json"
    table = open_table(title, ["group", "kind", "splits"], ["size", "least cosine"], ["paths"])
    for row in groups.head(_SHOWN).to_dicts():
        more = row["size"] - _PATHS
        paths = ", ".join(row["paths"][:_PATHS]) + (f" and {more:,} more" if more > 0 else "")
        add_row(
            table, str(row["group"]), row["kind"], ", ".join(row["splits"]),
            f"{row['size']:,}", f"{row['least_cosine']:.4f}", paths,
        )  # fmt: skip
    print_whole(table, console)
