import numpy as np
import polars as pl

from tests.benchmarks.group_gaps import measure_gaps

TABLE = pl.DataFrame(
    {"age": ["child", "child", "adult", "adult"], "hat": ["yes", "no", "yes", "no"]}
)
GROUPS = ((("age", "child"),), (("hat", "yes"),))


def test_people_of_two_groups_count_for_neither() -> None:
    child, hat = measure_gaps(TABLE, np.array([1.0, 0.5, 0.25, 0.125]), GROUPS)
    assert (child.n, child.error, child.others_error) == (1, 0.5, 0.125)
    assert child.size == 0.375
    assert (hat.n, hat.error) == (1, 0.25)


def test_a_group_without_people_has_no_error() -> None:
    (gap,) = measure_gaps(TABLE, np.zeros(4), ((("age", "senior"),),))
    assert gap.n == 0
    assert np.isnan(gap.error)


def test_a_conjunction_needs_both() -> None:
    (gap,) = measure_gaps(TABLE, np.array([1.0, 0, 0, 0]), ((("age", "child"), ("hat", "yes")),))
    assert (gap.n, gap.error, gap.others_error) == (1, 1.0, 0.0)
