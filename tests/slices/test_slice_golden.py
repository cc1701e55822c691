"""Published results: the ten best slices of Salaries and Adult."""

from typing import Any

import numpy as np
import pytest

from pipeline.slices import search_slices
from tests.slices.golden import TABULAR, load_adult, load_salaries

pytestmark = pytest.mark.skipif(
    not TABULAR.exists(), reason="the tables in ../shared/data/tabular are not on this machine"
)


@pytest.mark.parametrize("engine", ["cube", "depth-first", "sliceline"])
def test_salaries_gives_the_published_scores_and_sizes(engine: Any) -> None:
    table, errors = load_salaries()
    found = search_slices(
        table, errors, alpha=0.95, min_support=4, max_level=4, engine=engine, top=10
    )
    scores = [1.042, 0.478, 0.316, 0.262, 0.224, 0.218, 0.164, 0.122, 0.098, 0.092]
    assert found["score"].to_list() == pytest.approx(scores, abs=1e-3)
    assert found["n"].to_list() == [18, 39, 10, 29, 125, 31, 135, 34, 266, 39]


@pytest.mark.slow
def test_adult_gives_the_published_sizes() -> None:
    table, errors = load_adult()
    found = search_slices(table, errors, alpha=0.92, min_support=0.01, max_level=3, top=10)
    published = np.loadtxt(TABULAR / "sigmod2021" / "Experiment3_Adult_a0.92.dat", delimiter=",")
    assert sorted(found["n"].to_list()) == sorted(published[:, 3].astype(int).tolist())
