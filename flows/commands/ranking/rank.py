"""`weakspot rank`: retrieval as a benchmark of the vectors of a workspace."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from flows.stages.ranking.rank import RankedWorkspace, Ranking, Transform


class PoolChoice(StrEnum):
    """How one vector is made of an image."""

    cls = "cls"
    max = "max"
    rmac = "rmac"


def rank(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    *,
    truth: Annotated[
        str, typer.Option(help="A column of the dataset or an attribute: equal cells should meet.")
    ],
    pool: Annotated[
        list[PoolChoice] | None,
        typer.Option(help="cls: the encoder's own; max, rmac: of its feature maps. Repeatable."),
    ] = None,
    whiten: Annotated[
        list[str] | None,
        typer.Option(help="none, center, pca:D, or D: PCA-whitening to D axes. Repeatable."),
    ] = None,
    scales: Annotated[int, typer.Option(min=1, max=6, help="Of the regions of rmac.")] = 3,
    queries: Annotated[int, typer.Option(min=2, help="At most so many, drawn at random.")] = 1000,
    difficulty: Annotated[
        str | None, typer.Option(help="A column of easy, hard and junk: the revisited protocol.")
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(min=2, help="Also compare k-means of so many centers.")
    ] = None,
    by_class: Annotated[bool, typer.Option("--by-class", help="Print every class.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="FILE.csv or FILE.parquet: one row a query.", dir_okay=False)
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Rank all samples by likeness to each query; print mean average precision by class."""
    from flows.commands.exports.table_file import FLAT, check_target, write_table
    from flows.commands.ranking.ranking_tables import print_rankings
    from flows.retrieval.search_session import keep_access
    from flows.run.loaded_models import load_open_clip
    from flows.stages.ranking.pooled_vectors import Pooling
    from flows.stages.ranking.rank import RankOptions, rank_workspace
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    options = RankOptions(
        truth=truth,
        poolings=tuple(
            Pooling(one.value, scales) for one in dict.fromkeys(pool or [PoolChoice.cls])
        ),
        transforms=tuple(map(parse_transform, dict.fromkeys(whiten or ["none"]))),
        queries=queries,
        difficulty=difficulty,
        clusters=clusters,
        seed=seed,
    )
    if out is not None:
        check_target(out, suffixes=FLAT, option="--out")
    store = find_store(workspace)
    with keep_access(store.folder), lock_workspace(workspace):
        ranked = rank_workspace(store, options, load=load_open_clip)
    if out is not None:
        write_table(list_queries(ranked), out)
    if json_output:
        typer.echo(json.dumps(_to_content(ranked), ensure_ascii=False))
        return
    print_rankings(ranked, by_class=by_class)
    if out is not None:
        typer.echo(f"wrote {sum(one.judged.height for one in ranked.rankings):,} rows to {out}")


def parse_transform(text: str) -> "Transform":
    """Turn none, center, pca:D or D into what is done to vectors; raises ConfigError."""
    from flows.stages.ranking.rank import Transform

    if text in {"none", "center"}:
        return Transform(text)
    match = re.fullmatch(r"(pca:)?([1-9]\d{0,5})", text)
    if match is None:
        raise ConfigError(f"--whiten {text}: expected none, center, pca:D, or a number D")
    return Transform(text, int(match[2]), whiten=match[1] is None)


def list_queries(ranked: "RankedWorkspace") -> "pl.DataFrame":
    """Return one row a way of ranking, query and protocol, with sample_id and path."""
    import polars as pl

    names = ranked.samples.select("sample_id", "path").with_row_index("query")
    frames = [
        one.judged.with_columns(
            pl.lit(one.pooling).alias("pool"),
            pl.lit(one.transform).alias("whiten"),
            pl.col("query").cast(pl.UInt32),
        ).join(names, on="query", how="left", maintain_order="left")
        for one in ranked.rankings
    ]
    front = ["pool", "whiten", "sample_id", "path"]
    whole = pl.concat(frames).drop("query")
    return whole.select(*front, *(name for name in whole.columns if name not in front))


def _to_content(ranked: "RankedWorkspace") -> dict[str, Any]:
    return {
        "truth": ranked.classes.values.name,
        "source": ranked.classes.source,
        "samples": ranked.samples.height,
        "without_vector": ranked.without_vector,
        "queries": ranked.queries,
        "possible_queries": ranked.possible_queries,
        "rankings": [_describe(one) for one in ranked.rankings],
    }


def _describe(ranking: "Ranking") -> dict[str, Any]:
    return {
        "pool": ranking.pooling,
        "whiten": ranking.transform,
        "dim": ranking.dim,
        "summary": ranking.summary.to_dicts(),
        "difference_to_first": {
            protocol: dict(zip(("mean", "ci_low", "ci_high"), values, strict=True))
            for protocol, values in ranking.differences.items()
        },
        "clusters": None if ranking.clusters is None else vars(ranking.clusters),
    }
