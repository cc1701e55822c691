"""What the attributes say of a region: values that it holds more often than the rest."""

import numpy as np
import polars as pl

from pipeline.arrays import Mask
from pipeline.tables import REGION_VALUES, check
from pipeline.vocabulary import UNKNOWN

_LEAST_SHARE = 0.1  # of the region
_LEAST_LIFT = 1.25
_LEAST_Z = 4.0  # standard errors: one of a hundred values by chance is none


def list_values(attributes: pl.DataFrame, inside: Mask, *, most: int = 6) -> pl.DataFrame:
    """Return REGION_VALUES, largest lift first.

    attributes: n rows, one column an attribute. inside: (n,) rows of the region. lift: a value's
    share of the region over its share of all rows.
    """
    n, size = len(inside), int(inside.sum())
    rows = []
    for column in attributes.iter_columns():
        counts = dict(column.value_counts().iter_rows())
        own = dict(column.filter(pl.Series(inside)).value_counts().iter_rows())
        for value, count in own.items():
            share, overall = count / size, counts[value] / n
            error = np.sqrt(overall * (1 - overall) / size)
            lift = share / overall
            if value == UNKNOWN or share < _LEAST_SHARE or lift < _LEAST_LIFT:
                continue
            if share - overall >= _LEAST_Z * error:
                rest = (counts[value] - count) / max(n - size, 1)
                rows.append((column.name, value, share, rest, lift))
    frame = pl.DataFrame(rows, schema=dict(REGION_VALUES), orient="row")
    ordered = frame.sort(["lift", "attribute", "value"], descending=[True, False, False])
    return check(ordered.head(most), REGION_VALUES, table="region values")
