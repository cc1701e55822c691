"""Slices that wrong labels hide, and corrections of slices with labels of several kinds."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipeline.slices.corrected_findings import correct_predicates
from pipeline.slices.hidden_slices import find_hidden_slices
from pipeline.slices.known_labels import NOT_GIVEN, KnownLabels
from pipeline.tables import CORRECTIONS, WEAKNESSES

HAT = [{"attribute": "hat", "value": "yes"}]
DARK = [{"attribute": "light", "value": "dark"}]


def draw(
    *, weak: float = 0.6, flips: float = 0.3, checks: int = 150, seed: int = 3, n: int = 4000
) -> tuple[KnownLabels, pl.Series]:
    """Draw hats, 5 %, of which a share `weak` fails, 10 % elsewhere; flips: of the labels no."""
    rng = np.random.default_rng(seed)
    hat = rng.random(n) < 0.05
    labelled = np.where(hat, rng.random(n) < 0.9, rng.random(n) < flips)
    errors = (rng.random(n) < np.where(hat, weak, 0.1)).astype(np.float64)
    label, true = (pl.Series(np.where(x, "yes", "no")) for x in (labelled, hat))
    light = pl.Series(rng.choice(["dark", "bright", NOT_GIVEN], n, p=[0.3, 0.6, 0.1]))
    known, inclusion = np.zeros(n, np.bool_), np.full(n, np.nan)
    for value in ("yes", "no"):
        rows = np.flatnonzero((label == value).to_numpy())
        drawn = rng.choice(rows, checks, replace=False)
        known[drawn], inclusion[drawn] = True, checks / len(rows)
    checked = pl.Series(known)
    found = KnownLabels(
        labels=pl.DataFrame({"hat": label, "light": light}),
        truth=pl.DataFrame(
            {"hat": pl.select(pl.when(checked).then(true)).to_series(), "light": light}
        ),
        inclusion=pl.DataFrame({"hat": pl.Series(inclusion).fill_nan(None), "light": np.ones(n)}),
        modelled=frozenset({"hat"}),
        errors=errors,
        cluster_ids=pl.Series(range(n)),
    )
    return found, true


def find(known: KnownLabels, found: pl.DataFrame | None = None) -> list[list[dict[str, str]]]:
    nothing = pl.DataFrame(schema=dict(WEAKNESSES))
    hidden = find_hidden_slices(
        known, nothing if found is None else found, counted=10, min_support=50
    )
    assert hidden.schema == pl.Schema(CORRECTIONS)
    slices: list[list[dict[str, str]]] = hidden["predicates"].to_list()
    return slices


def test_a_weak_slice_that_wrong_labels_dilute_is_worth_checking() -> None:
    known, true = draw()
    inside = (known.labels["hat"] == "yes").to_numpy()
    assert known.errors[inside].mean() < 0.25  # as labelled
    assert find(known)[0] == HAT
    (row,) = find_hidden_slices(
        known, pl.DataFrame(schema=dict(WEAKNESSES)), counted=10, min_support=50, top=1
    ).to_dicts()
    assert row["corrected_low"] <= known.errors[(true == "yes").to_numpy()].mean()
    assert known.errors[(true == "yes").to_numpy()].mean() <= row["corrected_high"]


def test_a_slice_that_is_a_finding_is_not_listed_nor_what_lies_inside_it() -> None:
    known, _ = draw()
    finding = dict.fromkeys(WEAKNESSES) | {"predicates": HAT, "folded": []}
    found = pl.DataFrame([finding], schema=dict(WEAKNESSES))
    assert all(HAT[0] not in predicates for predicates in find(known, found))


def test_what_labels_do_not_hide_is_not_listed() -> None:
    assert find(draw(flips=0.002)[0]) == []


@pytest.mark.parametrize("seed", range(5))
def test_without_a_weak_slice_nothing_is_worth_checking(seed: int) -> None:
    assert find(draw(weak=0.1, seed=seed)[0]) == []


def test_slices_of_measured_attributes_alone_are_not_corrected() -> None:
    known, _ = draw()
    both = [*HAT, *DARK]
    corrections = correct_predicates(known, [DARK, HAT, both], seed=0).to_dicts()
    assert [row["predicates"] for row in corrections] == [DARK, HAT, both]
    assert corrections[0]["correction"] is None
    assert corrections[1]["correction"] in ("product", "joint")
    assert corrections[2]["correction"] in ("product", "joint")


def test_unknown_of_a_measured_attribute_hides_no_value() -> None:
    """The rows whose light is not given are in no slice of it, however they are corrected."""
    known, true = draw(checks=180)
    unknown = [{"attribute": "light", "value": "unknown"}]
    assert known.name_here(unknown) == [{"attribute": "light", "value": NOT_GIVEN}]
    (row,) = correct_predicates(known, [[*HAT, *DARK]], seed=0).to_dicts()
    size = ((true == "yes") & (known.labels["light"] == "dark")).sum()
    assert row["corrected_n_low"] <= size <= row["corrected_n_high"]
    assert row["corrected_n"] < 2 * size


def test_rows_that_count_by_weight_are_not_corrected() -> None:
    known = replace(draw()[0], weighted=True)
    (row,) = correct_predicates(known, [HAT], seed=0).to_dicts()
    assert row["correction"] == "none"
    assert "weight" in row["correction_note"]
    assert find(known) == []
