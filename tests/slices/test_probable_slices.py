"""Slices that do worse by the probabilities of their values."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Floats
from pipeline.slices.known_labels import NOT_GIVEN, KnownLabels
from pipeline.slices.probable_slices import (
    find_probable_slices,
    is_explained,
    soften,
    weigh_by_label,
)
from pipeline.slices.soft_labels.membership import SoftLabels
from pipeline.slices.soft_labels.slope_test import measure_slopes
from pipeline.slices.worth_checking import list_worth_checking
from pipeline.statistics.p_values import fisher
from pipeline.tables import CORRECTIONS, WEAKNESSES

HAT = {"attribute": "hat", "value": "yes"}
BEARD = {"attribute": "beard", "value": "yes"}
OLD = {"attribute": "old", "value": "yes"}
SHARES = {"hat": 0.1, "beard": 0.25, "old": 0.4}


def draw(
    weak: Sequence[Sequence[dict[str, str]]], *, seed: int = 0, n: int = 4000, rate: float = 0.5,
    probed: bool = True, checks: int = 60,
) -> KnownLabels:  # fmt: skip
    """Draw three attributes whose labels are right in seven of eight rows, and calibrated
    probabilities; an error of .08, `rate` in weak slices. Beards and hats go together.
    """
    rng = np.random.default_rng([seed, 5])
    signal = rng.normal(size=(n, 3))
    signal[:, 1] = 0.4 * signal[:, 0] + 0.9 * signal[:, 1]
    labels, truth, inclusion, soft, true = {}, {}, {}, {}, {}
    for at, (name, share) in enumerate(SHARES.items()):
        logit = 2 * signal[:, at] + np.log(share / (1 - share)) - 0.8
        likely = 1 / (1 + np.exp(-logit))
        yes = rng.random(n) < likely
        soft[name] = SoftLabels(("no", "yes"), np.column_stack([1 - likely, likely]))
        shown = np.where(rng.random(n) < 1 / 8, ~yes, yes)
        true[name] = yes
        labels[name] = np.where(shown, "yes", "no")
        known, drawn = np.full(n, "", dtype=object), np.full(n, np.nan)
        for value in ("yes", "no"):
            rows = np.flatnonzero(labels[name] == value)
            some = rng.choice(rows, checks, replace=False)
            known[some], drawn[some] = np.where(yes[some], "yes", "no"), checks / len(rows)
        truth[name], inclusion[name] = pl.Series(known.tolist()).replace("", None), pl.Series(drawn)
    risk = np.full(n, 0.08)
    for predicates in weak:
        inside = np.logical_and.reduce([true[one["attribute"]] for one in predicates])
        risk[inside] = rate
    return KnownLabels(
        labels=pl.DataFrame(labels),
        truth=pl.DataFrame(truth),
        inclusion=pl.DataFrame(inclusion).with_columns(pl.all().fill_nan(None)),
        modelled=frozenset(SHARES),
        errors=(rng.random(n) < risk).astype(np.float64),
        cluster_ids=pl.Series(range(n)),
        probabilities=soft if probed else {},
    )


def find(known: KnownLabels, found: Sequence[Sequence[dict[str, str]]] = ()) -> list[object]:
    return [list(one.predicates) for one in find_probable_slices(known, found)]


@pytest.mark.parametrize("probed", [True, False])
def test_the_weak_slice_is_named_first(*, probed: bool) -> None:
    assert find(draw([[HAT]], probed=probed))[0] == [HAT]
    assert find(draw([[BEARD, OLD]], probed=probed))[0] == [BEARD, OLD]


def test_by_a_probe_what_goes_along_with_a_weak_slice_is_not_named() -> None:
    """By labels alone beards of a few hats that are labelled wrong still say something."""
    assert find(draw([[HAT]])) == [[HAT]]
    assert find(draw([[BEARD, OLD]])) == [[BEARD, OLD]]


def test_two_weak_slices_are_found_one_given_the_other() -> None:
    assert sorted(map(str, find(draw([[HAT], [BEARD, OLD]], seed=1)))) == sorted(
        map(str, [[HAT], [BEARD, OLD]])
    )


def test_findings_are_not_named_again() -> None:
    known = draw([[HAT]])
    assert find(known, [[HAT]]) == []
    hats = known.labels["hat"] == "yes"
    exact = replace(known, errors=np.where(hats, 1.0, known.errors))
    assert find(exact) == [[HAT]]


def test_a_finding_that_stands_for_another_slice_does_not_hide_it() -> None:
    assert [HAT] in find(draw([[HAT]], seed=2), [[BEARD]])


def test_inside_a_finding_a_weaker_part_keeps_its_place() -> None:
    pairs = [[BEARD, OLD], [HAT, OLD]]
    known = draw(pairs, seed=3, rate=0.6)
    assert find(known, [[BEARD]]) == find(known) == pairs
    soft = soften(known, min_support=30)
    assert not is_explained([BEARD, OLD], [[BEARD]], soft, known.errors)
    alike = draw([[BEARD]], seed=1)
    assert is_explained([BEARD, OLD], [[BEARD]], soften(alike, min_support=30), alike.errors)
    assert not is_explained([HAT, OLD], [[BEARD]], soft, known.errors)  # not inside


def test_where_the_truth_of_most_rows_is_known_labels_hide_nothing() -> None:
    known = draw([[HAT]])
    assert find(known) == [[HAT]]
    hats = known.truth["hat"].fill_null(known.labels["hat"])
    assert find(replace(known, truth=known.truth.with_columns(hat=hats))) == []


def test_slices_that_no_candidate_can_be_are_set_aside_as_labelled() -> None:
    known = draw([], seed=3)
    three = [HAT, BEARD, OLD]
    inside = np.logical_and.reduce([(known.labels[name] == "yes").to_numpy() for name in SHARES])
    weak = replace(known, errors=np.where(inside, 1.0, known.errors))
    assert find(weak)
    assert find(weak, [three]) == []


def test_audits_in_which_errors_depend_on_nothing_name_slices_in_one_of_twenty_at_most() -> None:
    named = [bool(find(draw([], seed=seed, n=1500, checks=40))) for seed in range(40)]
    assert sum(named) <= 2


def test_attributes_may_be_excluded_and_levels_limited() -> None:
    known = draw([[BEARD, OLD]])
    one = find_probable_slices(known, [], max_level=1)
    assert {len(slice_.predicates) for slice_ in one} == {1}
    apart = find_probable_slices(known, [], exclusive=[["beard", "old"]])
    assert all(
        {one["attribute"] for one in slice_.predicates} != {"beard", "old"} for slice_ in apart
    )


def test_probabilities_are_those_of_checks_else_of_the_probe_else_of_the_label() -> None:
    known = draw([], n=600, checks=20)
    given = known.probabilities["hat"].probabilities.copy()
    given[:300] = np.nan
    soft = soften(
        replace(known, probabilities={"hat": SoftLabels(("no", "yes"), given)}), min_support=30
    )["hat"].probabilities
    checked = known.truth["hat"].is_not_null().to_numpy()
    assert set(soft[checked].ravel()) == {0.0, 1.0}
    later = ~checked & (np.arange(600) >= 300)
    assert np.array_equal(soft[later], given[later])
    earlier = ~checked & (np.arange(600) < 300)
    assert len(np.unique(soft[earlier, 1])) == 2  # one of each label


def test_shares_of_a_label_count_checks_by_their_inclusion() -> None:
    labels = pl.Series(["a"] * 4 + ["b"] * 4 + ["c"])
    truth = pl.Series(["x", "x", "y", None, "y", "y", "y", "y", None])
    inclusion = pl.Series([0.5, 0.5, 0.25, None, 0.5, 0.5, 0.5, 0.5, None])
    found: Floats = weigh_by_label(labels, truth, inclusion, ["x", "y"])
    share = 4 / 16  # 2 + 2 of x, 4 and four times 2 of y
    assert found[0, 0] == pytest.approx((1.5 + share) / 4)
    assert found[4, 0] == pytest.approx(share / 5)
    assert found[8].tolist() == pytest.approx([share, 1 - share])
    assert found.sum(axis=1) == pytest.approx(1)


def test_labels_that_no_model_made_are_certain_and_what_is_not_given_is_no_value() -> None:
    known = draw([], n=600, checks=20)
    light = pl.Series("light", ["dark"] * 200 + ["bright"] * 380 + [NOT_GIVEN] * 20)
    more = replace(known, labels=known.labels.with_columns(light))
    soft = soften(more, min_support=30)["light"]
    assert soft.values == ("bright", "dark")
    assert soft.probabilities.sum(axis=0).tolist() == [380, 200]


def test_the_tail_of_a_small_group_with_rare_errors_is_near_the_exact_one() -> None:
    """The normal tail would be many times too small: p of 6 errors in 20 rows, 50 in 1,000."""
    errors, inside = np.zeros(1000), np.zeros(1000)
    inside[:20] = 1
    errors[:6] = 1
    errors[20:64] = 1
    found = measure_slopes(inside[:, None], errors, np.ones((1000, 1)), clusters=None)
    exact = fisher(np.array([6]), np.array([20]), 50, 1000)[0]
    assert exact / 4 < found.p[0] < 4 * exact


def test_rows_of_a_cluster_that_err_together_count_less() -> None:
    rng = np.random.default_rng(0)
    errors = np.repeat(rng.random(200) < 0.2, 5).astype(np.float64)
    inside = np.repeat(rng.random(200) < 0.3, 5).astype(np.float64)
    ones, numbers = np.ones((1000, 1)), np.repeat(np.arange(200), 5)
    apart = measure_slopes(inside[:, None], errors, ones, clusters=None)
    together = measure_slopes(inside[:, None], errors, ones, clusters=numbers)
    assert (apart.z / together.z)[0] == pytest.approx(5**0.5, rel=0.15)


def test_what_covariates_explain_is_no_evidence() -> None:
    inside = np.repeat([0.0, 1.0], 50)
    found = measure_slopes(
        inside[:, None], inside, np.column_stack([np.ones(100), inside]), clusters=None
    )
    assert (found.z[0], found.p[0]) == (0.0, 1.0)


def test_slices_worth_checking_carry_corrections_and_may_be_unsettled() -> None:
    known = draw([[HAT, OLD]], rate=0.6, checks=20)
    nothing = pl.DataFrame(schema=dict(WEAKNESSES))
    rows = list_worth_checking(known, nothing, counted=20)
    assert rows.schema == pl.Schema(CORRECTIONS)
    assert [HAT, OLD] in rows["predicates"].to_list()
    assert (rows["corrected_difference_high"] > 0).all()
    assert list_worth_checking(replace(known, weighted=True), nothing, counted=20).is_empty()
