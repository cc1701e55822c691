"""Numbers of a finding beyond its test: its share of all errors, and how errors are spread."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.tables import empty
from reports.site_models import HISTOGRAM

_BINS = 10
Shares = tuple[float, float, float, float]  # own errors, own samples, errors and samples so far


def share_errors(found: Iterable[Ints], errors: NDArray[np.float64]) -> Iterator[Shares]:
    """Yield for each slice four shares of 1; one slice at a time is held.

    found: the rows of each slice, in rank order. errors: (n,). The shares are of the sum of all
    errors and of the samples: the slice's own, then those of it and all slices before it together,
    each sample counted once.
    """
    total, n = float(errors.sum()), errors.size
    together = np.zeros(n, bool)
    covered_errors, covered = 0.0, 0
    for rows in found:
        new = rows[~together[rows]]
        together[new] = True
        covered_errors += float(errors[new].sum())
        covered += new.size
        own = float(errors[rows].sum())
        yield (
            own / total if total else 0.0,
            rows.size / n if n else 0.0,
            min(1.0, covered_errors / total) if total else 0.0,
            covered / n if n else 0.0,
        )


@dataclass(frozen=True, eq=False)
class ErrorBins:
    """Bins of errors: two where all are 0 or 1, else ten. counts: of all samples.

    edges: of ten bins, None of two.
    """

    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    edges: NDArray[np.float64] | None
    counts: Ints

    def count(self, errors: NDArray[np.float64]) -> Ints:
        """Return how many of some errors are in each bin."""
        return _count(errors, self.edges)


def _count(errors: NDArray[np.float64], edges: NDArray[np.float64] | None) -> Ints:
    if edges is not None:
        return np.histogram(errors, edges)[0]
    ones = int(np.count_nonzero(errors))
    return np.array([errors.size - ones, ones])


def bin_errors(errors: NDArray[np.float64]) -> ErrorBins:
    """Return the bins of (n,) errors."""
    top = float(errors.max(initial=0.0))
    if np.isin(errors, (0.0, 1.0)).all():
        ends = np.array([0.0, 1.0])
        return ErrorBins(ends, ends, None, _count(errors, None))
    edges = np.linspace(0.0, max(1.0, top) if top <= 1 else top, _BINS + 1)
    return ErrorBins(edges[:-1], edges[1:], edges, _count(errors, edges))


def spread_errors(own: NDArray[np.float64], bins: ErrorBins) -> pl.DataFrame:
    """Return a HISTOGRAM of the errors of a slice, and of all other errors that `bins` counted."""
    if not bins.counts.sum():
        return empty(HISTOGRAM)
    inside = bins.count(own)
    shares = [counts / max(1, counts.sum()) for counts in (inside, bins.counts - inside)]
    columns = {"low": bins.lows, "high": bins.highs, "inside": shares[0], "outside": shares[1]}
    return pl.DataFrame(columns, schema=dict(HISTOGRAM))
