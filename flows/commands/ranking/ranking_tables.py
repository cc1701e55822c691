"""What `weakspot rank` prints: one row a way of ranking, then the classes of one."""

import math
from typing import TYPE_CHECKING

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from flows.commands.console import open_console

if TYPE_CHECKING:
    from rich.console import Console

    from flows.stages.ranking.rank import RankedWorkspace, Ranking

_SHOWN = 20  # classes without --by-class
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
        _print_whole(_tabulate_rankings(ranked, protocol), console)
    _print_whole(_tabulate_classes(ranked.rankings[0], by_class=by_class), console)
    if any(one.clusters is not None for one in ranked.rankings):
        _print_whole(_tabulate_clusters(ranked), console)


def _tabulate_rankings(ranked: "RankedWorkspace", protocol: str) -> Table:
    table = _open_table(
        f"Mean average precision, protocol {protocol}",
        ["pool", "whiten"],
        ["dim", "mAP", "95 %", *(f"P@{cut}" for cut in _CUTS), "chance", "against the first"],
    )
    for one in ranked.rankings:
        row = one.summary.filter((pl.col("protocol") == protocol) & pl.col("class").is_null()).row(
            0, named=True
        )
        change = one.differences.get(protocol)
        compared = "" if change is None else f"{change[0]:+.4f} ({_write_ends(*change[1:])})"
        cuts = [_write(row[f"precision_at_{cut}"]) for cut in _CUTS]
        _add_row(
            table, one.pooling, one.transform, f"{one.dim:,}",
            _write(row["mean_average_precision"]), _write_ends(row["ci_low"], row["ci_high"]),
            *cuts, _write(row["chance"]), compared,
        )  # fmt: skip
    return table


def _tabulate_classes(ranking: "Ranking", *, by_class: bool) -> Table:
    protocol = ranking.summary["protocol"][0]
    own = pl.col("protocol") == protocol
    rows = ranking.summary.filter(own & pl.col("class").is_not_null() & (pl.col("queries") > 0))
    rows = rows.sort("queries", "class", descending=[True, False])
    shown = rows if by_class else rows.head(_SHOWN)
    more = rows.height - shown.height
    title = f"By class: {ranking.pooling}, whiten {ranking.transform}, protocol {protocol}"
    if more:
        title += f"; {more:,} classes with fewer queries: --by-class or --json"
    table = _open_table(title, ["class"], ["queries", "mAP", "95 %", "P@1", "P@10", "chance"])
    for row in shown.to_dicts():
        _add_row(
            table, row["class"], f"{row['queries']:,}", _write(row["mean_average_precision"]),
            _write_ends(row["ci_low"], row["ci_high"]), _write(row["precision_at_1"]),
            _write(row["precision_at_10"]), _write(row["chance"]),
        )  # fmt: skip
    return table


def _tabulate_clusters(ranked: "RankedWorkspace") -> Table:
    table = _open_table(
        "k-means against the classes",
        ["pool", "whiten"],
        ["clusters", "largest", "purity", "largest class", "adjusted mutual information"],
    )
    for ranking in ranked.rankings:
        one = ranking.clusters
        if one is not None:
            _add_row(
                table, ranking.pooling, ranking.transform, f"{one.clusters:,}",
                f"{one.largest:,}", _write(one.purity), _write(one.majority),
                _write(one.adjusted_information),
            )  # fmt: skip
    return table


def _open_table(title: str, names: list[str], numbers: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*map(Text, cells))  # a class such as [0, 1] is no markup


def _print_whole(table: Table, console: "Console") -> None:
    """Print a table at its own width: numbers are not cut where the console is narrower."""
    table.width = console.measure(table, options=console.options.update(width=10_000)).maximum
    console.print(table, crop=False)


def _write(share: float | None) -> str:
    return "-" if share is None or math.isnan(share) else f"{share:.4f}"


def _write_ends(low: float | None, high: float | None) -> str:
    if low is None or high is None or math.isnan(low):
        return "-"
    return f"{low:.4f} to {high:.4f}"
