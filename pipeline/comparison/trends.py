"""Each slice that held up in some run, followed over the runs: its gap, and where it holds up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.vocabulary import INSUFFICIENT, UNCLEAR

NEW, LASTING, BACK, GONE = "new", "still there", "back", "gone"
Predicates = Sequence[Mapping[str, str]]
_BEHIND = 1 << 30  # every rank
_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class SearchedRun:
    """What one run found of one system.

    findings: predicates, rank and state. family: predicates, error and rest_error of slices that it
    counted, of which any that held up in another run matter.
    """

    findings: pl.DataFrame
    family: pl.DataFrame


@dataclass(frozen=True)
class SliceTrend:
    """One slice over the runs, the oldest first.

    gaps: the error inside minus that of the rest, None where the run did not count the slice.
    holds: whether it was a finding that holds up. rank: in the last run, None where it is none.
    """

    predicates: Predicates
    gaps: tuple[float | None, ...]
    holds: tuple[bool, ...]
    rank: int | None

    @property
    def verdict(self) -> str:
        """What the last run says: new, still there, back or gone."""
        if not self.holds[-1]:
            return GONE
        before = self.holds[:-1]
        if before and before[-1]:
            return LASTING
        return BACK if any(before) else NEW

    @property
    def turned(self) -> int:
        """Return the number of the run from which on it is as it is now, from 0."""
        for at in range(len(self.holds) - 1, 0, -1):
            if self.holds[at - 1] != self.holds[-1]:
                return at
        return 0


def follow_slices(runs: Sequence[SearchedRun]) -> list[SliceTrend]:
    """Return each slice that held up in one of the runs: those of the last by rank, then the rest.

    runs: of one system, the oldest first. The rest are ordered by when they held up last, the
    latest first, then by name. A finding without enough evidence or with unclear labels does not
    hold up.
    """
    held = [_list_held(run.findings) for run in runs]
    gaps = [_read_gaps(run) for run in runs]
    last = held[-1] if held else {}
    every = {key: None for found in held for key in found}
    trends = [
        SliceTrend(
            predicates=[{"attribute": name, "value": value} for name, value in key],
            gaps=tuple(known.get(key) for known in gaps),
            holds=tuple(key in found for found in held),
            rank=last.get(key),
        )
        for key in every
    ]
    return sorted(trends, key=_order)


def _order(trend: SliceTrend) -> tuple[object, ...]:
    rank = _BEHIND if trend.rank is None else trend.rank
    latest = max(at for at, holds in enumerate(trend.holds) if holds)
    return rank, -latest, [(one["attribute"], one["value"]) for one in trend.predicates]


def _list_held(findings: pl.DataFrame) -> dict[_Key, int]:
    holding = findings.filter(~pl.col("state").is_in([INSUFFICIENT, UNCLEAR])).sort("rank")
    return {_key(predicates): rank for predicates, rank in _rows(holding, "predicates", "rank")}


def _read_gaps(run: SearchedRun) -> dict[_Key, float]:
    return {
        _key(predicates): error - rest
        for predicates, error, rest in _rows(run.family, "predicates", "error", "rest_error")
        if error is not None and rest is not None
    }


def _rows(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return frame.select(columns).rows()


def _key(predicates: Predicates) -> _Key:
    return tuple((item["attribute"], item["value"]) for item in predicates)
