"""The newest runs that searched, and what they found, read without those before them."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pipeline.tables import FINDINGS, RUNS, SLICES, check, empty
from pipeline.workspace.database import add_new_columns
from pipeline.workspace.store import Store

_SEARCHED = "search <> '' AND name = ? AND sample_limit IS NULL"
_FAMILY = ("system", "predicates", "error", "rest_error")


def count_searches(store: Store, *, name: str) -> int:
    """Return how many runs of an audit searched all of its samples."""
    with store.connect() as connection:
        found = connection.execute(f"SELECT count(*) FROM runs WHERE {_SEARCHED}", [name])  # noqa: S608 - our own words
        (count,) = found.fetchall()[0]
    return int(count)


def read_last_searches(store: Store, *, name: str, most: int) -> pl.DataFrame:
    """Return RUNS: of the runs of an audit that searched all its samples the `most` newest first.

    It takes as long for two runs as for two thousand.
    """
    query = (
        f"SELECT * FROM runs WHERE {_SEARCHED} "  # noqa: S608 - our own words
        "ORDER BY started_at DESC, run_id DESC LIMIT ?"
    )
    with store.connect() as connection:
        frame = connection.sql(query, params=[name, most]).pl()
    return check(add_new_columns(frame, RUNS), RUNS, table="runs")


def read_last_search(store: Store) -> dict[str, Any] | None:
    """Return the row of the run that searched last, of any audit and limit; None when none did."""
    query = "SELECT * FROM runs WHERE search <> '' ORDER BY started_at DESC, run_id DESC LIMIT 1"
    with store.connect() as connection:
        frame = connection.sql(query).pl()
    runs = check(add_new_columns(frame, RUNS), RUNS, table="runs")
    return None if runs.is_empty() else runs.row(0, named=True)


def read_run_findings(store: Store, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return FINDINGS of some runs, by run, system and rank."""
    query = "SELECT * FROM findings WHERE list_contains(?, run_id) ORDER BY run_id, system, rank"
    with store.connect() as connection:
        frame = connection.sql(query, params=[list(run_ids)]).pl()
    return check(add_new_columns(frame, FINDINGS), FINDINGS, table="findings")


def read_family_errors(store: Store, run_id: str, slices: pl.Series) -> pl.DataFrame:
    """Return system, predicates, error and rest_error of those `slices` that a run counted.

    slices: predicates, as in FINDINGS. A family that was pruned or is damaged gives no rows; the
    latter is what `weakspot doctor` finds.
    """
    path = store.slices / f"{run_id}.parquet"
    if not path.exists():
        return empty({name: SLICES[name] for name in _FAMILY})
    wanted = pl.LazyFrame({"predicates": slices.unique()})
    counted = pl.scan_parquet(path).select(_FAMILY)
    try:
        return counted.join(wanted, on="predicates", how="semi").collect()
    except pl.exceptions.PolarsError:
        return empty({name: SLICES[name] for name in _FAMILY})
