"""Labels as codes: the rows of slices and means by value are those of the plain way."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coverage.coded_values import CodedValues, average_values, code_values
from pipeline.coverage.values import average_errors
from pipeline.predicates import select_rows

VALUES = {"hat": ["yes", "no", "unknown"], "size": ["small", "medium", "large"]}
ORDERS = {"size": ("small", "medium", "large")}
ERRORS = st.sampled_from([[0.0, 1.0], [0.0, 0.25, 1.0, 3.5]])


@st.composite
def draw_table(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return labels, one column an attribute, and errors with their images."""
    n = draw(st.integers(1, 30))
    labels = {
        name: draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))
        for name, values in VALUES.items()
    }
    allowed, images = draw(ERRORS), draw(st.sampled_from([n, 4]))
    errors = pl.DataFrame(
        {
            "sample_id": [f"s{at:02}" for at in range(n)],
            "error": draw(st.lists(st.sampled_from(allowed), min_size=n, max_size=n)),
            "cluster_id": [f"i{at % images:02}" for at in range(n)],
        }
    )
    return pl.DataFrame(labels), errors


def code(labels: pl.DataFrame, errors: pl.DataFrame) -> CodedValues:
    return code_values(labels, errors["error"], errors["cluster_id"], orders=ORDERS)


@given(draw_table())
def test_means_by_value_are_those_of_the_long_way(table: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    labels, errors = table
    long = labels.with_columns(errors["sample_id"]).unpivot(
        index="sample_id", variable_name="attribute"
    )
    expected = average_errors(long, errors.with_columns(system=pl.lit("s")))
    made = average_values(code(labels, errors), system="s")
    keys = ["system", "attribute", "value", "n"]
    assert made.select(keys).equals(expected.select(keys))
    for name in ("error", "ci_low", "ci_high"):
        for one, other in zip(made[name], expected[name], strict=True):
            assert (one is None) == (other is None)
            assert one is None or one == pytest.approx(other, abs=1e-12)


@given(
    draw_table(),
    st.sampled_from(["yes", "no", "absent"]),
    st.sampled_from(["small", "<= medium", "medium or large"]),
)
def test_rows_of_a_slice_are_those_of_its_predicates(
    table: tuple[pl.DataFrame, pl.DataFrame], hat: str, size: str
) -> None:
    labels, errors = table
    coded = code(labels, errors)
    for predicates in (
        [],
        [{"attribute": "hat", "value": hat}],
        [{"attribute": "hat", "value": hat}, {"attribute": "size", "value": size}],
    ):
        expected = np.flatnonzero(select_rows(labels, predicates, orders=ORDERS).to_numpy())
        assert coded.find_rows(predicates).tolist() == expected.tolist()


def test_within_a_slice_an_attribute_of_one_value_is_left_out() -> None:
    labels = pl.DataFrame({"hat": ["yes"] * 4, "rain": list("aabb"), "one": list("xxxx")})
    errors = pl.DataFrame({"error": [1.0, 1.0, 0.0, 1.0], "cluster_id": list("abcd")})
    found = average_values(code(labels, errors), system="s", rows=np.arange(3), leave_out=["hat"])
    assert found.select("attribute", "value", "n", "error").rows() == [
        ("rain", "a", 2, 1.0), ("rain", "b", 1, 0.0),
    ]  # fmt: skip
