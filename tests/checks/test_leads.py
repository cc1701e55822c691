"""What a search points at, and how strongly it depends on each label."""

import polars as pl

from pipeline.checks.leads import LEADS, list_leads, weigh_values
from pipeline.tables import PREDICATES

HAT = [{"attribute": "hat", "value": "yes"}]
NIGHT = [{"attribute": "time", "value": "night"}]
BOTH = [*HAT, *NIGHT]


def slices(*rows: tuple[list[dict[str, str]], int, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"predicates": p, "n": n, "error": e, "rest_error": 0.1, "score": s}
         for p, n, e, s in rows],
        schema={"predicates": PREDICATES, "n": pl.Int64, "error": pl.Float64,
                "rest_error": pl.Float64, "score": pl.Float64},
    )  # fmt: skip


def test_findings_count_by_their_excess_error() -> None:
    leads = list_leads(slices((HAT, 100, 0.4, 2.0), (NIGHT, 300, 0.2, 1.0)), slices())
    assert [round(share, 9) for share in leads["share"]] == [0.5, 0.5]


def test_slices_that_are_no_findings_share_a_quarter() -> None:
    family = slices((HAT, 100, 0.4, 2.0), (NIGHT, 300, 0.2, 1.0), (BOTH, 100, 0.4, 3.0))
    leads = list_leads(family.head(1), family)
    assert leads["predicates"].to_list() == [HAT, BOTH, NIGHT]
    assert [round(share, 9) for share in leads["share"]] == [0.75, 0.125, 0.125]


def test_without_findings_the_best_slices_count_alone_and_better_ones_do_not() -> None:
    family = slices((HAT, 100, 0.05, 2.0), (NIGHT, 300, 0.2, 1.0))
    leads = list_leads(slices(), family)
    assert leads.rows() == [(NIGHT, 1.0)]
    assert list_leads(slices(), slices()).height == 0


def test_slices_worth_checking_share_half_of_what_there_is() -> None:
    hidden = slices((NIGHT, 0, 0.0, 0.0), (BOTH, 0, 0.0, 0.0)).select("predicates")
    leads = list_leads(slices((HAT, 100, 0.4, 2.0)), slices(), hidden)
    assert leads.rows() == [(HAT, 0.5), (NIGHT, 0.25), (BOTH, 0.25)]
    assert list_leads(slices(), slices(), hidden).rows() == [(NIGHT, 0.5), (BOTH, 0.5)]
    assert list_leads(slices(), slices(), hidden.clear()).height == 0


def test_a_lead_adds_its_share_to_its_values_and_half_of_it_to_the_others() -> None:
    strata = pl.DataFrame(
        [("age", "adult", 50), ("age", "child", 30), ("age", "senior", 50), ("age", "unknown", 10),
         ("hat", "no", 90), ("hat", "yes", 40), ("sex", "man", 140)],
        schema=["attribute", "shown", "size"], orient="row",
    )  # fmt: skip
    run = {"attribute": "age", "value": "adult or senior"}
    leads = pl.DataFrame({"predicates": [[run], HAT], "share": [0.6, 0.4]}, schema=dict(LEADS))
    orders = {"age": ["child", "adult", "senior"]}
    led = weigh_values(strata, leads, orders=orders, even=0.0)
    expected = [0.6, 0.225, 0.6, 0.075, 0.2, 0.4, 0.0]
    assert [round(weight * sum(expected), 9) for weight in led] == expected
    half = weigh_values(strata, leads, orders=orders)  # the other half is the same for all
    assert [round(weight, 9) for weight in half] == [
        round(weight / 2 + 1 / 14, 9) for weight in led
    ]
