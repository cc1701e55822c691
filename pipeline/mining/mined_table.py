"""Tables of what was mined, and of the hits among it: expected, and real."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints
from pipeline.mining.hit_probability import Expected
from pipeline.statistics.intervals import wilson_interval
from pipeline.tables import check
from pipeline.tables.mining_tables import HIT_RATES, MINED, MINED_RATES

_ALSO = 0.5  # probability from which a sample is said to belong to a further finding
Predicates = Sequence[Mapping[str, str]]


def list_mined(
    units: pl.DataFrame,
    probabilities: Floats,
    rows: Ints,
    findings: Ints,
    *,
    ranks: Sequence[int],
    predicates: Sequence[Predicates],
) -> pl.DataFrame:
    """Return MINED, in the order in which units were chosen.

    units: SAMPLES of the pool. probabilities: (n, f) of the units. rows, findings: (k,) which unit
    was chosen for which of the f findings, whose ranks and predicates are given.
    """
    own = probabilities[rows]
    also = [
        [ranks[other] for other in range(len(ranks)) if other != place and line[other] >= _ALSO]
        for place, line in zip(findings.tolist(), own, strict=True)
    ]
    columns = {
        "rank": np.arange(1, len(rows) + 1),
        "finding": [ranks[place] for place in findings],
        "predicates": [list(predicates[place]) for place in findings],
        "probability": own[np.arange(len(rows)), findings],
        "also": also,
    }
    head = pl.DataFrame(columns, schema={name: MINED[name] for name in columns})
    names = [name for name in MINED if name not in columns]
    return check(pl.concat([head, units[rows].select(names)], how="horizontal"), MINED,
                 table="mined")  # fmt: skip


def list_rates(
    *,
    ranks: Sequence[int],
    predicates: Sequence[Predicates],
    quotas: Sequence[int],
    counts: Sequence[int],
    expected: Sequence[Expected],
    random: Sequence[float],
    truthful: Sequence[bool],
) -> pl.DataFrame:
    """Return MINED_RATES; all arguments by finding, as its columns have them."""
    mined = [one if count else None for one, count in zip(expected, counts, strict=True)]
    frame = pl.DataFrame(
        {
            "finding": list(ranks),
            "predicates": [list(one) for one in predicates],
            "asked": list(quotas),
            "mined": list(counts),
            "expected": [None if one is None else one.rate for one in mined],
            "expected_low": [None if one is None else one.low for one in mined],
            "expected_high": [None if one is None else one.high for one in mined],
            "random": list(random),
            "judged_by": ["truth" if one else "labels" for one in truthful],
        },
        schema=dict(MINED_RATES),
    )
    return check(frame, MINED_RATES, table="mined rates")


def count_hits(mined: pl.DataFrame, rates: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Return HIT_RATES: what came back labelled beside what was expected.

    mined, rates: MINED and MINED_RATES. hits: sample_id, finding and hit (booleans) of the samples
    that were labelled; others are ignored.
    """
    keys = ["sample_id", "finding"]
    known = mined.select(keys).join(hits.select(*keys, "hit"), on=keys, how="inner")
    counts = known.group_by("finding").agg(
        labelled=pl.len().cast(pl.Int64), hits=pl.col("hit").sum().cast(pl.Int64)
    )
    rows = rates.join(counts, on="finding", how="left", maintain_order="left").with_columns(
        pl.col("labelled", "hits").fill_null(0)
    )
    n, found = rows["labelled"].to_numpy(), rows["hits"].to_numpy().astype(np.float64)
    low, high = wilson_interval(found, n)
    share = pl.col("hits") / pl.col("labelled")
    rows = rows.with_columns(
        rate=pl.when(pl.col("labelled") > 0).then(share),
        low=pl.Series(low).fill_nan(None),
        high=pl.Series(high).fill_nan(None),
    )
    # The expected interval is of all that was mined; of some of them the rate varies more.
    as_expected = (pl.col("high") >= pl.col("expected_low")) & (
        pl.col("low") <= pl.col("expected_high")
    )
    rows = rows.with_columns(as_expected=as_expected)
    return check(rows.select(list(HIT_RATES)), HIT_RATES, table="hit rates")
