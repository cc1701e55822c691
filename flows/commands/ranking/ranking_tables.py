"""What `weakspot rank` prints: one row a way of ranking, then the classes of one."""

from typing import TYPE_CHECKING

import polars as pl
from rich.table import Table

from flows.commands.console import open_console
from flows.commands.ranking.plain_tables import (
    add_row,
    open_table,
    print_whole,
    write_interval,
    write_number,
)

if TYPE_CHECKING:
    from flows.stages.ranking.rank import RankedWorkspace, Ranking

_SHOWN = 20  # as many classes are printed without --by-class
_CUTS = (1, 5, 10)
_SOURCES = {
    "column": "a column of the dataset",
    "truth": "true values",
    "labels": "labels that no model made",
}


def print_rankings(ranked: "RankedWorkspace", *, by_class: bool) -> None:
    """Print the rankings of a workspace for a person."""
    console = open_console()
    classes = ranked.classes.values.drop_nulls().n_unique()
    console.print(
        f"{ranked.queries:,} of {ranked.possible_queries:,} possible queries among "
        f"{ranked.samples.height:,} samples, {classes:,} classes of "
        f"{ranked.classes.values.name} ({_SOURCES[ranked.classes.source]})",
        soft_wrap=True,
        markup=False,
    )
    if ranked.without_vector:
        console.print(f"{ranked.without_vector:,} samples have no vector and are left out")
    for protocol in ranked.rankings[0].summary["protocol"].unique(maintain_order=True):
        print_whole(_tabulate_rankings(ranked, protocol), console)
    if by_class or classes <= _SHOWN:
        print_whole(_tabulate_classes(ranked.rankings[0]), console)
    else:
        console.print(f"by class, {classes:,} of them: --by-class, --out or --json")
    if any(one.clusters is not None for one in ranked.rankings):
        print_whole(_tabulate_clusters(ranked), console)


def _tabulate_rankings(ranked: "RankedWorkspace", protocol: str) -> Table:
    table = open_table(
        f"Mean average precision, protocol {protocol}",
        ["pool", "whiten"],
        ["dim", "mAP", "95 %", *(f"P@{cut}" for cut in _CUTS), "chance", "against the first"],
    )
    for one in ranked.rankings:
        row = one.summary.filter((pl.col("protocol") == protocol) & pl.col("class").is_null()).row(
            0, named=True
        )
        change = one.differences.get(protocol)
        compared = "" if change is None else f"{change[0]:+.4f} ({write_interval(*change[1:])})"
        cuts = [write_number(row[f"precision_at_{cut}"]) for cut in _CUTS]
        add_row(
            table, one.pooling, one.transform, f"{one.dim:,}",
            write_number(row["mean_average_precision"]),
            write_interval(row["ci_low"], row["ci_high"]),
            *cuts, write_number(row["chance"]), compared,
        )  # fmt: skip
    return table


def _tabulate_classes(ranking: "Ranking") -> Table:
    protocol = ranking.summary["protocol"][0]
    own = pl.col("protocol") == protocol
    rows = ranking.summary.filter(own & pl.col("class").is_not_null() & (pl.col("queries") > 0))
    rows = rows.sort("queries", "class", descending=[True, False])
    title = f"By class: {ranking.pooling}, whiten {ranking.transform}, protocol {protocol}"
    table = open_table(title, ["class"], ["queries", "mAP", "95 %", "P@1", "P@10", "chance"])
    for row in rows.to_dicts():
        add_row(
            table, row["class"], f"{row['queries']:,}", write_number(row["mean_average_precision"]),
            write_interval(row["ci_low"], row["ci_high"]), write_number(row["precision_at_1"]),
            write_number(row["precision_at_10"]), write_number(row["chance"]),
        )  # fmt: skip
    return table


def _tabulate_clusters(ranked: "RankedWorkspace") -> Table:
    table = open_table(
        "k-means against the classes",
        ["pool", "whiten"],
        ["clusters", "largest", "purity", "largest class", "adjusted mutual information"],
    )
    for ranking in ranked.rankings:
        one = ranking.clusters
        if one is not None:
            add_row(
                table, ranking.pooling, ranking.transform, f"{one.clusters:,}",
                f"{one.largest:,}", write_number(one.purity), write_number(one.majority),
                write_number(one.adjusted_information),
            )  # fmt: skip
    return table
