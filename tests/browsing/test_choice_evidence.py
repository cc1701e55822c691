"""The error of chosen samples beside the rest: by hand, and by images."""

import numpy as np
import pytest

from pipeline.browsing.choice_evidence import weigh_choice
from pipeline.statistics.estimates import Values
from pipeline.statistics.intervals import wilson_interval


def test_rates_are_those_of_the_samples_with_an_error() -> None:
    errors = np.array([1.0, 1, 0, 0, 0, 1, 0, 0])
    known = np.array([1, 1, 1, 1, 1, 1, 1, 0], np.bool_)
    chosen = np.array([1, 1, 1, 0, 0, 0, 0, 1], np.bool_)
    found = weigh_choice(Values(errors, None, 8, rate=True), known, chosen)
    assert (found.n, found.missing, found.rest_n) == (3, 1, 4)
    assert found.error == pytest.approx(2 / 3)
    assert found.rest_error == pytest.approx(1 / 4)
    assert found.difference == pytest.approx(2 / 3 - 1 / 4)
    low, high = wilson_interval(np.array([2.0]), np.array([3.0]))
    assert found.error_low == pytest.approx(low[0])
    assert found.error_high == pytest.approx(high[0])


def test_samples_of_one_image_count_as_one_where_they_fail_together() -> None:
    errors = np.repeat([1.0, 0, 1, 0, 1, 0, 0, 0], 5)
    images = np.repeat(np.arange(8), 5)
    chosen = np.repeat(np.array([1, 1, 1, 1, 0, 0, 0, 0], np.bool_), 5)
    known = np.ones(40, np.bool_)
    apart = weigh_choice(Values(errors, None, 40, rate=True), known, chosen)
    together = weigh_choice(Values(errors, images, 8, rate=True), known, chosen)
    assert apart.error == together.error == 0.5
    assert apart.error_high is not None
    assert together.error_high is not None
    assert together.error_high - 0.5 > 1.5 * (apart.error_high - 0.5)


def test_nothing_is_said_where_there_is_nothing() -> None:
    values = Values(np.zeros(3), None, 3, rate=True)
    found = weigh_choice(values, np.ones(3, np.bool_), np.ones(3, np.bool_))
    assert (found.rest_n, found.rest_error, found.difference) == (0, None, None)
    found = weigh_choice(values, np.ones(3, np.bool_), np.zeros(3, np.bool_))
    assert (found.n, found.error, found.error_low) == (0, None, None)
