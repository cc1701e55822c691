"""Numbers of a finding beyond its test: its share of all errors, histograms, other attributes."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.stages.reporting.picked_samples import Mask
from pipeline.coverage.values import average_errors
from pipeline.tables import VALUE_ERRORS, empty
from pipeline.workspace.search_table import SearchTable
from reports.site_models import HISTOGRAM

_BINS = 10
Shares = tuple[float, float, float, float]  # own errors, own samples, errors and samples so far


def share_errors(inside: Sequence[Mask], errors: NDArray[np.float64]) -> list[Shares]:
    """Return for each slice four shares of 1.

    inside: (n,) booleans, one a slice, in rank order. errors: (n,). The shares are of the sum of
    all errors and of the samples: the slice's own, then those of it and all slices before it
    together, each sample counted once.
    """
    total, n = float(errors.sum()), errors.size
    together = np.zeros(n, bool)
    shares = []
    for mask in inside:
        together |= mask
        of_errors = (float(errors[one].sum()) / total if total else 0.0 for one in (mask, together))
        of_samples = (float(one.sum()) / n if n else 0.0 for one in (mask, together))
        own, covered = of_errors
        samples, covered_samples = of_samples
        shares.append((own, samples, covered, covered_samples))
    return shares


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


def average_within(
    table: SearchTable, inside: Mask, *, system: str, leave_out: Sequence[str]
) -> pl.DataFrame:
    """Return VALUE_ERRORS of a slice by each attribute but those in `leave_out`.

    An attribute that has one value in the slice is left out as well.
    """
    mask = pl.Series(inside)
    own = table.attributes.filter(mask)
    names = [
        one.name for one in own.iter_columns() if one.name not in leave_out and one.n_unique() > 1
    ]
    if not names:
        return empty(VALUE_ERRORS)
    ids = table.sample_ids.filter(mask)
    labels = own.select(names).with_columns(sample_id=ids).unpivot(
        index="sample_id", variable_name="attribute", value_name="value"
    )  # fmt: skip
    errors = pl.DataFrame(
        {
            "sample_id": ids,
            "error": table.errors.filter(mask),
            "cluster_id": table.cluster_ids.filter(mask),
        }
    ).with_columns(system=pl.lit(system))
    return average_errors(labels, errors)
