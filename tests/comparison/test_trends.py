"""Slices are followed over the runs: what came, stayed, went and came back."""

from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comparison.trends import SearchedRun, follow_slices
from pipeline.tables import PREDICATES
from pipeline.vocabulary import CONFIRMED, INSUFFICIENT, LIKELY, UNCLEAR

FAMILY = {"predicates": PREDICATES, "error": pl.Float64(), "rest_error": pl.Float64()}
FINDINGS = {"predicates": PREDICATES, "rank": pl.Int64(), "state": pl.String()}


def name(value: str) -> list[dict[str, str]]:
    return [{"attribute": "hat", "value": value}]


def make_run(held: dict[str, str], counted: dict[str, float]) -> SearchedRun:
    """Return a run; held: value -> state, in rank order; counted: value -> its gap."""
    findings = [(name(value), rank, state) for rank, (value, state) in enumerate(held.items(), 1)]
    family = [(name(value), 0.1 + gap, 0.1) for value, gap in counted.items()]
    return SearchedRun(
        pl.DataFrame(findings, schema=FINDINGS, orient="row"),
        pl.DataFrame(family, schema=FAMILY, orient="row"),
    )


def test_slices_are_new_lasting_gone_and_back() -> None:
    counted = {"a": 0.2, "b": 0.3, "c": 0.1, "d": 0.4}
    trends = follow_slices(
        [
            make_run({"a": CONFIRMED, "b": LIKELY, "d": CONFIRMED}, counted),
            make_run({"a": CONFIRMED}, {**counted, "b": 0.01}),
            make_run({"c": LIKELY, "a": CONFIRMED, "d": LIKELY}, {"a": 0.25, "c": 0.2}),
        ]
    )
    assert [(one.predicates[0]["value"], one.rank, one.verdict, one.turned) for one in trends] == [
        ("c", 1, "new", 2),
        ("a", 2, "still there", 0),
        ("d", 3, "back", 2),
        ("b", None, "gone", 1),
    ]
    assert [round(gap, 9) for gap in trends[1].gaps if gap is not None] == [0.2, 0.2, 0.25]
    assert trends[3].gaps[-1] is None  # the last run did not count it
    assert trends[3].holds == (True, False, False)


def test_what_does_not_hold_up_is_not_followed() -> None:
    run = make_run({"a": INSUFFICIENT, "b": UNCLEAR}, {"a": 0.2, "b": 0.2})
    assert follow_slices([run]) == []
    assert follow_slices([]) == []


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=6), st.randoms())
def test_the_order_of_rows_does_not_matter(held: list[set[str]], random: Random) -> None:
    counted = dict.fromkeys("abcd", 0.1)
    runs = [make_run(dict.fromkeys(sorted(own), CONFIRMED), counted) for own in held]
    order = list(range(4))
    random.shuffle(order)
    mixed = [SearchedRun(run.findings.reverse(), run.family[order]) for run in runs]
    assert follow_slices(mixed) == follow_slices(runs)
    for trend in follow_slices(runs):
        value = trend.predicates[0]["value"]
        assert trend.holds == tuple(value in own for own in held)
