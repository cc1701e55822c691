"""Slices corrected for wrong labels: generated tables whose true values are known."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.exceptions import TableError
from pipeline.slices.label_noise.correction import correct_slices
from pipeline.slices.label_noise.diluted import find_diluted
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
