"""Numbers of a finding beyond its test: its share of all errors, and how errors are spread."""

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.stages.reporting.pictures.picked_samples import Mask
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


def spread_errors(inside: Mask, errors: NDArray[np.float64]) -> pl.DataFrame:
    """Return a HISTOGRAM of errors inside and outside: two bins where all are 0 or 1, else ten."""
    if not errors.size:
        return empty(HISTOGRAM)
    top = float(errors.max())
    if np.isin(errors, (0.0, 1.0)).all():
        lows = highs = np.array([0.0, 1.0])
        counts = [np.array([(own == low).sum() for low in lows]) for own in _split(inside, errors)]
    else:
        edges = np.linspace(0.0, max(1.0, top) if top <= 1 else top, _BINS + 1)
        lows, highs = edges[:-1], edges[1:]
        counts = [np.histogram(own, edges)[0] for own in _split(inside, errors)]
    shares = [own / max(1, own.sum()) for own in counts]
    columns = {"low": lows, "high": highs, "inside": shares[0], "outside": shares[1]}
    return pl.DataFrame(columns, schema=dict(HISTOGRAM))


def _split(
    inside: Mask, errors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return errors[inside], errors[~inside]
