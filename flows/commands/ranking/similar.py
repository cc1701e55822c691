"""`weakspot similar`: near duplicates in a workspace, also across splits."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
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
        typer.Option(help="FILE.csv or FILE.parquet: one row a sample.", dir_okay=False),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """List groups of near duplicates, and which of them leak from one split into another."""
    from flows.commands.exports.frame_file import check_frame_file, write_frame
    from flows.retrieval.search_session import keep_access
    from flows.run.loaded_models import load_open_clip
    from flows.stages.ranking.duplicates import find_duplicates
    from pipeline.exceptions import ConfigError
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    if out is not None:
        check_frame_file(out)
    store = find_store(workspace)
    with keep_access(store.folder), lock_workspace(workspace):
        found = find_duplicates(store, least=duplicates, split=split, load=load_open_clip)
    if across and len(found.sizes) < 2:
        raise ConfigError("--across: the samples are of one split; name a column with --split")
    rows = found.rows.filter("across_splits") if across else found.rows
    if out is not None:
        write_frame(rows, out)
    if json_output:
        content = {
            "samples": found.samples,
            "without_vector": found.without_vector,
            "split": found.split,
            "sizes": found.sizes,
            "leaks": [
                {"split": one, "other": other, "samples": n}
                for one, other, n in found.count_leaks()
            ],
            "duplicates": rows.to_dicts(),
        }
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    _print(found, least=duplicates, across=across)
    if out is not None:
        typer.echo(f"wrote {rows.height:,} rows to {out}")


def _print(found: "FoundDuplicates", *, least: float, across: bool) -> None:
    import polars as pl

    from flows.commands.console import open_console
    from flows.commands.ranking.plain_tables import add_row, open_table, print_whole

    console = open_console()
    groups = found.rows.group_by("group", maintain_order=True).agg(
        pl.col("kind", "across_splits", "size", "contents", "least_cosine").first(),
        splits=pl.col("split").drop_nulls().unique().sort(),
        paths=pl.concat_str("path", pl.lit(" #") + pl.col("annotation_id"), ignore_nulls=True),
    )
    exact = groups.filter(pl.col("kind") == "exact")
    console.print(
        f"{found.samples:,} samples; groups of equal pixels: {exact.height:,} "
        f"({exact['size'].sum():,} samples), of near duplicates with cosines from {least:g}: "
        f"{groups.height - exact.height:,} ({found.rows.height - exact['size'].sum():,} samples)",
        soft_wrap=True,
    )
    if found.without_vector:
        console.print(f"{found.without_vector:,} of them have no vector: compared by bytes alone")
    for line in _describe_leaks(found):
        console.print(line, soft_wrap=True, markup=False)
    shown = groups.filter("across_splits") if across else groups
    if shown.is_empty():
        return
    title = "Near duplicates, those across splits first"
    if shown.height > _SHOWN:
        title += f"; {shown.height - _SHOWN:,} more groups: --out or --json"
    table = open_table(title, ["group", "kind", "splits"], ["size", "least cosine"], ["paths"])
    for row in shown.head(_SHOWN).to_dicts():
        more = row["size"] - _PATHS
        paths = ", ".join(row["paths"][:_PATHS]) + (f" and {more:,} more" if more > 0 else "")
        add_row(
            table, str(row["group"]), row["kind"], ", ".join(row["splits"]),
            f"{row['size']:,}", f"{row['least_cosine']:.4f}", paths,
        )  # fmt: skip
    print_whole(table, console)


def _describe_leaks(found: "FoundDuplicates") -> list[str]:
    if len(found.sizes) < 2:
        return ["no splits are known, so that none is checked for leaks: --split names a column"]
    sizes = ", ".join(f"{name} {size:,}" for name, size in found.sizes.items())
    leaks = found.count_leaks()
    if not leaks:
        return [f"splits ({found.split}): {sizes}; no duplicates between them"]
    return [f"splits ({found.split}): {sizes}"] + [
        f"{one}: {n:,} of {found.sizes[one]:,} samples ({n / found.sizes[one]:.1%}) have a "
        f"duplicate in {other}"
        for one, other, n in leaks
    ]
