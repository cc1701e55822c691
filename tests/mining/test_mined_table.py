"""What came back labelled is compared with what was expected."""

import polars as pl
import pytest
from scipy.stats import binomtest

from pipeline.mining.hit_probability import Expected
from pipeline.mining.mined_table import count_hits, list_rates
from pipeline.tables.mining_tables import MINED

HAT = [{"attribute": "hat", "value": "yes"}]
FOG = [{"attribute": "weather", "value": "fog"}]


def make_mined() -> pl.DataFrame:
    rows = [
        {"rank": n, "finding": 1 if n <= 30 else 2, "sample_id": f"s{n}", "path": f"{n}.png",
         "predicates": HAT if n <= 30 else FOG, "probability": 0.5, "also": []}
        for n in range(1, 41)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(MINED))


def make_rates() -> pl.DataFrame:
    return list_rates(
        ranks=[1, 2, 3],
        predicates=[HAT, FOG, FOG],
        quotas=[30, 10, 5],
        counts=[30, 10, 0],
        expected=[Expected(0.8, 0.7, 0.9), Expected(0.9, 0.85, 1.0), Expected(0.5, 0.4, 0.6)],
        random=[0.2, 0.1, 0.1],
        truthful=[True, False, True],
    )


def test_real_rates_have_wilson_intervals_and_say_whether_they_were_expected() -> None:
    hits = pl.DataFrame(
        {
            "sample_id": [f"s{n}" for n in range(1, 41)],
            "finding": [1] * 30 + [2] * 10,
            "hit": [n < 24 for n in range(30)] + [n < 2 for n in range(10)],
        }
    )
    first, second, third = count_hits(make_mined(), make_rates(), hits).rows(named=True)
    low, high = binomtest(24, 30).proportion_ci(method="wilson")
    assert (first["labelled"], first["hits"], first["rate"]) == (30, 24, 0.8)
    assert (first["low"], first["high"]) == (pytest.approx(low), pytest.approx(high))
    assert first["as_expected"] is True
    assert second["as_expected"] is False
    assert (third["labelled"], third["rate"], third["expected"]) == (0, None, None)


def test_labels_of_what_was_not_mined_are_not_counted() -> None:
    hits = pl.DataFrame({"sample_id": ["s1", "s1", "x"], "finding": [1, 2, 1], "hit": [True] * 3})
    rows = count_hits(make_mined(), make_rates(), hits)
    assert rows["labelled"].to_list() == [1, 0, 0]
