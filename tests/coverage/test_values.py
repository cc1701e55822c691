from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.coverage.values import average_errors, cover_values, describe_constant


def make_labels(hat: list[str]) -> pl.DataFrame:
    ids = [f"s{index:03}" for index in range(len(hat))]
    return pl.DataFrame({"sample_id": ids, "attribute": "hat", "value": hat})


def make_errors(values: list[float], *, images: Sequence[int] | None = None) -> pl.DataFrame:
    ids = [f"s{index:03}" for index in range(len(values))]
    clusters = ids if images is None else [f"i{image}" for image in images]
    return pl.DataFrame(
        {"sample_id": ids, "system": "finder", "error": values, "cluster_id": clusters}
    )


def test_shares_of_an_attribute_add_up_and_unknown_comes_last() -> None:
    table = cover_values(make_labels(["unknown"] * 5 + ["no"] * 3 + ["yes"] * 2))
    assert table["value"].to_list() == ["no", "yes", "unknown"]
    assert table["n"].to_list() == [3, 2, 5]
    assert table["share"].sum() == pytest.approx(1)


def test_declared_values_keep_their_order_and_unseen_ones_are_shown() -> None:
    table = cover_values(make_labels(["no", "no", "yes"]), order={"hat": ["yes", "no", "maybe"]})
    assert table["value"].to_list() == ["yes", "no", "maybe"]
    assert table["n"].to_list() == [1, 2, 0]


def test_without_labels_there_is_an_empty_table() -> None:
    assert cover_values(make_labels([])).is_empty()
    assert average_errors(make_labels([]), make_errors([])).is_empty()


@given(st.integers(1, 60), st.data())
def test_interval_of_zero_one_errors_is_wilsons(n: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, n))
    row = average_errors(
        make_labels(["yes"] * n), make_errors([1.0] * wrong + [0.0] * (n - wrong))
    ).row(0, named=True)
    expected = binomtest(wrong, n).proportion_ci(method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )


def test_interval_of_real_errors_is_the_mean_and_its_standard_error() -> None:
    row = average_errors(make_labels(["yes"] * 4), make_errors([1.0, 2.0, 3.0, 4.0])).row(
        0, named=True
    )
    assert row["error"] == 2.5
    assert row["ci_high"] - row["error"] == pytest.approx(1.959964 * (5 / 3) ** 0.5 / 2)
    alone = average_errors(make_labels(["yes"]), make_errors([2.5])).row(0, named=True)
    assert (alone["ci_low"], alone["ci_high"]) == (None, None)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 9)), min_size=1), st.randoms())
def test_row_order_changes_no_byte(rows: list[tuple[str, float]], random: object) -> None:
    labels = make_labels([value for value, _ in rows])
    errors = make_errors([error for _, error in rows])
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis' Random
    assert average_errors(labels, errors).equals(average_errors(labels[order], errors[order]))
    assert cover_values(labels).equals(cover_values(labels[order]))


def test_samples_without_an_error_do_not_count_in_the_mean() -> None:
    row = average_errors(make_labels(["yes"] * 3), make_errors([1.0])).row(0, named=True)
    assert (row["n"], row["error"]) == (1, 1.0)


def test_intervals_of_object_audits_count_images_not_crops() -> None:
    images = [image for image in range(20) for _ in range(10)]
    errors = [float(image % 4 == 0) for image in images]  # all crops of an image fail together
    labels = make_labels(["yes"] * 200)
    alone = average_errors(labels, make_errors(errors)).row(0, named=True)
    shared = average_errors(labels, make_errors(errors, images=images)).row(0, named=True)
    assert (shared["n"], shared["error"]) == (alone["n"], alone["error"]) == (200, 0.25)
    by_images = binomtest(5, 20).proportion_ci(method="wilson")
    assert shared["ci_low"] == pytest.approx(by_images.low, abs=0.03)
    assert shared["ci_high"] == pytest.approx(by_images.high, abs=0.03)
    assert shared["ci_high"] - shared["ci_low"] > 2.5 * (alone["ci_high"] - alone["ci_low"])


def test_an_attribute_more_changes_no_interval() -> None:
    rng = np.random.default_rng(0)
    errors = make_errors(rng.integers(0, 2, 60).astype(float).tolist(), images=[*range(30)] * 2)
    hat = make_labels(rng.choice(["yes", "no"], 60).tolist())
    coat = make_labels(rng.choice(["red", "blue"], 60).tolist()).with_columns(
        attribute=pl.lit("coat")
    )
    both = average_errors(pl.concat([hat, coat]), errors)
    assert both["attribute"].to_list() == ["coat", "coat", "hat", "hat"]
    assert both.filter(pl.col("attribute") == "hat").equals(average_errors(hat, errors))


def test_a_value_of_one_image_has_no_interval_where_images_are_shared() -> None:
    labels = make_labels(["yes", "yes", "no", "no"])
    table = average_errors(labels, make_errors([1.0, 0.0, 1.0, 1.0], images=[0, 0, 1, 2]))
    rows = {row["value"]: row for row in table.to_dicts()}
    assert (rows["yes"]["ci_low"], rows["yes"]["ci_high"]) == (None, None)
    assert 0 < rows["no"]["ci_low"] < rows["no"]["ci_high"] == 1.0


def test_an_attribute_with_one_value_for_all_is_named() -> None:
    table = pl.DataFrame({"hat": ["no", "no"], "blur": ["low", "high"]})
    assert describe_constant(table) == (
        "hat is 'no' for every sample: there is nothing to compare it with.",
    )
    assert describe_constant(table.head(1)) == ()
