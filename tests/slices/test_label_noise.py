"""Slices corrected for wrong labels: generated tables whose true values are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from pipeline.exceptions import TableError
from pipeline.slices.label_noise.correction import correct_slices
from pipeline.slices.label_noise.diluted import find_diluted
from pipeline.slices.label_noise.pooled_point import pool_point
from pipeline.slices.label_noise.slice_posterior import WIDER, SlicePosterior, widen_errors
from pipeline.tables import CORRECTIONS


def name_slice(**values: str) -> list[dict[str, str]]:
    return [{"attribute": name, "value": value} for name, value in sorted(values.items())]


def flip(rng: np.random.Generator, truth: NDArray[np.int64], rate: float) -> NDArray[np.int64]:
    return np.where(rng.random(len(truth)) < rate, 1 - truth, truth)


def write(codes: NDArray[np.int64]) -> pl.Series:
    return pl.Series(["no", "yes"]).gather(codes)


def check_some(
    rng: np.random.Generator, labels: pl.Series, truth: pl.Series, count: int
) -> pl.Series:
    known = np.zeros(len(labels), np.bool_)
    for value in labels.unique(maintain_order=True):
        rows = np.flatnonzero((labels == value).to_numpy())
        known[rng.choice(rows, min(count, len(rows)), replace=False)] = True
    return pl.select(pl.when(pl.Series(known)).then(truth)).to_series()


@pytest.fixture(scope="module")
def hats() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]]:
    """Return labels, all true values, 100 checks a label, and errors: .4 with a hat at night."""
    rng = np.random.default_rng(3)
    n = 20_000
    hat, night = ((rng.random(n) < share).astype(np.int64) for share in (0.1, 0.3))
    errors = (rng.random(n) < np.where((hat & night) == 1, 0.4, 0.05)).astype(np.float64)
    true = pl.DataFrame({"hat": write(hat), "night": write(night)})
    labels = pl.DataFrame(
        {"hat": write(flip(rng, hat, 0.15)), "night": write(flip(rng, night, 0.1))}
    )
    checks = {name: check_some(rng, labels[name], true[name], 100) for name in true.columns}
    return labels, true, pl.DataFrame(checks), errors


SLICES: Sequence[list[dict[str, str]]] = [
    name_slice(hat="yes"), name_slice(hat="yes", night="yes"), name_slice(night="no"),
]  # fmt: skip


def find_true_error(true: pl.DataFrame, errors: NDArray[np.float64], slice_: object) -> float:
    wanted = [pl.col(one["attribute"]) == one["value"] for one in slice_]  # type: ignore[attr-defined] # a list of dicts
    return float(errors[true.select(pl.all_horizontal(wanted)).to_series().to_numpy()].mean())


def test_corrected_errors_are_closer_to_the_truth_than_those_of_the_labels(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    labels, true, checks, errors = hats
    corrected = correct_slices(labels, errors, SLICES, truth=checks)
    assert corrected.schema == pl.Schema(CORRECTIONS)
    for row in corrected.iter_rows(named=True):
        truth = find_true_error(true, errors, row["predicates"])
        seen = find_true_error(labels, errors, row["predicates"])
        assert abs(row["corrected_error"] - truth) < max(abs(seen - truth), 0.005)
        assert row["corrected_low"] <= truth <= row["corrected_high"]


def test_checks_of_failed_samples_show_labels_that_are_wrong_where_the_system_is() -> None:
    rng = np.random.default_rng(8)
    n = 20_000
    man = (rng.random(n) < 0.45).astype(np.int64)
    errors = (rng.random(n) < np.where(man == 1, 0.08, 0.03)).astype(np.float64)
    wrong = rng.random(n) < np.where(errors > 0, 0.3, 0.06)
    shown = np.where(wrong, 1 - man, man)
    labels, true = (pl.DataFrame({"man": write(codes)}) for codes in (shown, man))
    inclusion = np.full(n, np.nan)
    for value, failed, count in ((0, 0, 67), (0, 1, 33), (1, 0, 67), (1, 1, 33)):
        rows = np.flatnonzero((shown == value) & (errors == failed))
        inclusion[rng.choice(rows, count, replace=False)] = count / len(rows)
    drawn = pl.DataFrame({"man": pl.Series(inclusion).fill_nan(None)})
    checks = true.select(pl.when(drawn["man"].is_not_null()).then("man").alias("man"))
    slice_ = [name_slice(man="yes")]
    row = correct_slices(labels, errors, slice_, truth=checks, inclusion=drawn).row(0, named=True)
    truth = find_true_error(true, errors, slice_[0])
    assert row["correction"] == "joint"
    assert row["corrected_low"] <= truth <= row["corrected_high"]
    assert row["corrected_low"] <= row["corrected_error"] <= row["corrected_high"]


def test_attributes_without_checks_are_not_corrected(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    labels, _, checks, errors = hats
    row = correct_slices(labels, errors, SLICES[1:2], truth=checks.select("night")).row(
        0, named=True
    )
    assert row["correction"] == "none"
    assert row["corrected_error"] is None
    assert "hat" in row["correction_note"]


def test_unknown_is_no_truth(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    labels, _, checks, errors = hats
    labels = labels.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(pl.lit("unknown"))
        .otherwise("hat")
        .alias("hat")
    )
    slices = [name_slice(hat="unknown"), name_slice(hat="yes")]
    corrected = correct_slices(labels, errors, slices, truth=checks)
    assert corrected["correction"].to_list() == ["none", "product"]


def test_a_slice_that_noise_dilutes_is_worth_checking(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    labels, _, checks, errors = hats
    found = find_diluted(labels, errors, truth=checks)
    assert found["predicates"].to_list()[0] == SLICES[1]
    rest = find_diluted(labels, errors, truth=checks, already=[SLICES[1]])
    assert SLICES[1] not in rest["predicates"].to_list()


def test_errors_below_zero_are_refused() -> None:
    table = pl.DataFrame({"hat": ["yes", "no"]})
    with pytest.raises(TableError, match=">= 0"):
        correct_slices(table, [-1.0, 0.0], [], truth=table)


def test_with_all_truth_known_the_slice_has_its_true_error(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    labels, true, _, errors = hats
    corrected = correct_slices(labels, errors, SLICES, truth=true)
    for row in corrected.iter_rows(named=True):
        truth = find_true_error(true, errors, row["predicates"])
        assert row["corrected_error"] == pytest.approx(truth, abs=0.01)
        assert row["corrected_low"] <= truth <= row["corrected_high"]


def test_perfect_labels_stay_as_they_are(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    _, true, _, errors = hats
    gaps = []
    for count in (50, 2_000):
        rng = np.random.default_rng(count)
        checks = {name: check_some(rng, true[name], true[name], count) for name in true.columns}
        corrected = correct_slices(true, errors, SLICES, truth=pl.DataFrame(checks))
        seen = [find_true_error(true, errors, one) for one in SLICES]
        gaps.append(np.abs(corrected["corrected_error"].to_numpy() - seen).max())
        assert (corrected["label_precision"] > 0.9).all()
    assert gaps[1] < 0.01
    assert gaps[1] < gaps[0] < 0.05


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), values=st.integers(2, 4), gamma=st.booleans())
def test_order_and_names_do_not_matter_and_results_are_possible(
    seed: int, values: int, *, gamma: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = 600
    truth = rng.choice(values, (2, n), p=rng.dirichlet(np.full(values, 3.0)))
    shown = np.where(rng.random((2, n)) < 0.2, rng.integers(0, values + 1, (2, n)), truth)
    errors = rng.gamma(1.0, 0.2, n) if gamma else (rng.random(n) < 0.2).astype(np.float64)
    known = rng.random((2, n)) < 0.3
    order = rng.permutation(n)
    results = []
    for words in (["b", "d", "a", "c"], ["x", "p", "s", "q"]):
        places = np.arange(n) if words[0] == "b" else order
        name = pl.Series([*words[:values], "unknown"])
        table = pl.DataFrame({f"k{j}": name.gather(shown[j][places]) for j in range(2)})
        true = pl.DataFrame({
            f"k{j}": pl.select(
                pl.when(pl.Series(known[j][places])).then(name.gather(truth[j][places]))
            ).to_series()
            for j in range(2)
        })  # fmt: skip
        slices = [name_slice(k0=words[0]), name_slice(k0=words[0], k1=words[1])]
        results.append(
            correct_slices(table, errors[places], slices, truth=true).drop(
                "predicates", "checks_needed"
            )
        )
    assert_frame_equal(*results)
    found = results[0]
    for low, high, limit in (
        ("label_precision_low", "label_precision_high", 1.0),
        ("corrected_low", "corrected_high", errors.max()),
        ("corrected_n_low", "corrected_n_high", n),
    ):
        assert (found[low].drop_nulls() >= 0).all()
        assert (found[high].drop_nulls() <= limit * (1 + 1e-9)).all()
        assert (found[low].drop_nulls() <= found[high].drop_nulls()).all()


def test_labels_that_say_nothing_give_bounds_that_hold_the_truth(
    hats: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, NDArray[np.float64]],
) -> None:
    _, true, _, errors = hats
    rng = np.random.default_rng(8)
    labels = true.with_columns(pl.Series("hat", rng.choice(["yes", "no"], true.height)))
    checks = {name: check_some(rng, labels[name], true[name], 100) for name in true.columns}
    row = correct_slices(labels, errors, SLICES[:1], truth=pl.DataFrame(checks)).row(0, named=True)
    assert row["correction"] == "bounds"
    assert "hat" in row["correction_note"]
    assert row["corrected_error"] is None
    truth = find_true_error(true, errors, SLICES[0])
    assert row["corrected_low"] <= truth <= row["corrected_high"]


def test_labels_that_are_wrong_where_the_system_is_are_noticed() -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    hat = (rng.random(n) < 0.3).astype(np.int64)
    errors = (rng.random(n) < np.where(hat == 1, 0.4, 0.1)).astype(np.float64)
    wrong = rng.random(n) < np.where(errors > 0, 0.4, 0.05)
    true, labels = write(hat), write(np.where(wrong, 1 - hat, hat))
    checks = pl.DataFrame({"hat": check_some(rng, labels, true, 150)})
    row = correct_slices(pl.DataFrame({"hat": labels}), errors, SLICES[:1], truth=checks).row(
        0, named=True
    )
    assert row["correction"] == "joint"
    assert "wrong where the system is" in row["correction_note"]
    assert row["corrected_low"] <= errors[hat == 1].mean() <= row["corrected_high"]
    table = pl.DataFrame({"hat": labels})
    free = correct_slices(table, errors, SLICES[:1], truth=checks, joint=False)
    assert free["correction"].to_list() == ["product"]


def test_checks_that_would_settle_a_slice_do_settle_it() -> None:
    rng = np.random.default_rng(2)
    n = 60_000
    hat = (rng.random(n) < 0.1).astype(np.int64)
    errors = (rng.random(n) < np.where(hat == 1, 0.13, 0.1)).astype(np.float64)
    true, labels = write(hat), write(flip(rng, hat, 0.1))
    table = pl.DataFrame({"hat": labels})

    def correct(counts: dict[str, int]) -> dict[str, Any]:
        known = np.zeros(n, np.bool_)
        for value, count in counts.items():
            known[np.flatnonzero((labels == value).to_numpy())[:count]] = True
        truth = pl.DataFrame({"hat": pl.select(pl.when(pl.Series(known)).then(true)).to_series()})
        return correct_slices(table, errors, SLICES[:1], truth=truth).row(0, named=True)

    few = correct({"yes": 30, "no": 30})
    assert few["corrected_difference_low"] < 0 < few["corrected_difference"]
    needed = {one["value"]: one["n"] for one in few["checks_needed"]}
    assert 0 < sum(needed.values()) < 5_000
    more = correct({value: 30 + needed.get(value, 0) for value in ("yes", "no")})
    assert more["corrected_difference_low"] > 0
    assert more["checks_needed"] == []


def test_crops_of_one_image_count_less() -> None:
    rng = np.random.default_rng(4)
    images = 1_000
    hat = np.repeat((rng.random(images) < 0.2).astype(np.int64), 8)
    errors = np.repeat((rng.random(images) < 0.2).astype(np.float64), 8)
    labels, true = write(flip(rng, hat, 0.1)), write(hat)
    checks = pl.DataFrame({"hat": check_some(rng, labels, true, 300)})
    widths = []
    for cluster_ids in (None, np.repeat(np.arange(images), 8)):
        row = correct_slices(
            pl.DataFrame({"hat": labels}), errors, SLICES[:1], truth=checks, cluster_ids=cluster_ids
        ).row(0, named=True)
        widths.append(row["corrected_high"] - row["corrected_low"])
    assert widths[1] > 1.5 * widths[0]


def test_checks_drawn_more_often_count_less() -> None:
    """Rows were drawn thrice as often where an older label was wrong; weights undo that."""
    rng = np.random.default_rng(6)
    n = 40_000
    hat = (rng.random(n) < 0.3).astype(np.int64)
    shown = flip(rng, hat, 0.1)
    errors = (rng.random(n) < np.where(hat == 1, 0.5, 0.1)).astype(np.float64)
    chance = np.where(shown != hat, 0.03, 0.01)
    drawn = rng.random(n) < chance
    truth = pl.DataFrame({"hat": pl.select(pl.when(pl.Series(drawn)).then(write(hat))).to_series()})
    inclusion = pl.DataFrame({"hat": np.where(drawn, chance, np.nan)}).fill_nan(None)
    precision = [
        correct_slices(
            pl.DataFrame({"hat": write(shown)}), errors, SLICES[:1], truth=truth, inclusion=given
        )["label_precision"][0]
        for given in (None, inclusion)
    ]
    right = float(hat[shown == 1].mean())
    assert abs(precision[0] - right) > 0.1
    assert abs(precision[1] - right) < 0.06


def test_an_unsure_correction_leaves_the_point_near_the_labels() -> None:
    rng = np.random.default_rng(1)
    labelled = rng.normal(0.1, 0.001, 1_000)
    wild = labelled + rng.normal(0.7, 0.4, 1_000)  # an interval from 0 to 1 and more
    assert pool_point(wild, labelled, scale=0.25) == pytest.approx(0.1 + 0.7 / 17, abs=0.005)
    sure = labelled + rng.normal(0.2, 0.02, 1_000)
    assert pool_point(sure, labelled, scale=0.5) == pytest.approx(0.1 + 0.2 / 1.01, abs=0.005)
    half = labelled + rng.normal(0.2, 0.1, 1_000)
    assert pool_point(half, labelled, scale=0.25) == pytest.approx(0.2, abs=0.01)
    assert pool_point(half, labelled, scale=0.0) == pytest.approx(0.1, abs=0.005)
    nothing = np.full(1_000, np.nan)
    assert pool_point(sure, nothing, scale=0.25) == pytest.approx(0.3, abs=0.005)


def test_intervals_are_wider_where_independence_is_not_established() -> None:
    rng = np.random.default_rng(2)
    draws = rng.beta(2, 8, 1_000)
    given = SlicePosterior(
        share=draws, error=draws, rest_error=draws / 2, precision=draws, labelled=draws,
        rest_labelled=draws, source=np.arange(1_000), joint=0.0,
    )  # fmt: skip
    wider = widen_errors(given, most=1.0)
    for name in ("error", "rest_error"):
        before, after = getattr(given, name), getattr(wider, name)
        assert np.median(after) == pytest.approx(np.median(before))
        top, middle = (np.quantile(before, q) for q in (0.9, 0.5))
        assert np.quantile(after, 0.9) == pytest.approx(middle + WIDER * (top - middle))
        assert after.min() >= 0
