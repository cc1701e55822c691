"""Classifiers by group: rates by counting, disparities against fairlearn."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.exceptions import ConfigError, TableError
from pipeline.fairness.measure import Fairness, measure_fairness
from pipeline.tables import DISPARITIES
from tests.fairness.drawn_groups import name_groups, row_of


def matches(true: Any, predicted: Any) -> tuple[pl.DataFrame, pl.Series]:
    ids = pl.Series([f"s{i}" for i in range(len(true))])
    frame = pl.DataFrame({"sample_id": ids, "true": true, "predicted": predicted, "score": 0.5})
    return frame.sample(fraction=1.0, shuffle=True, seed=1), ids


def draw(seed: int, classes: int = 2, n: int = 3000) -> tuple[pl.DataFrame, Any, Any]:
    rng = np.random.default_rng(seed)
    table = name_groups(rng, n, sex=2, age=3)
    true = rng.integers(0, classes, n)
    slip = 0.1 + 0.15 * (table["sex"] == "sex1").to_numpy()
    slip += 0.1 * (table["age"] == "age2").to_numpy()
    predicted = np.where(rng.random(n) < slip, rng.integers(0, classes, n), true)
    return table, np.array([f"c{v}" for v in true]), np.array([f"c{v}" for v in predicted])


def measure(table: pl.DataFrame, true: Any, predicted: Any, **more: Any) -> Fairness:
    frame, ids = matches(true, predicted)
    return measure_fairness(
        table, (true != predicted).astype(float), sensitive=["sex", "age"],
        matches=frame, sample_ids=ids, **more,
    )  # fmt: skip


def disparity(found: Fairness, metric: str, attributes: list[str]) -> float | None:
    row = found.disparities.filter(
        (pl.col("metric") == metric) & (pl.col("attributes") == attributes)
    )
    return row["value"].item()  # type: ignore[no-any-return]  # a float or null


def test_rates_are_those_of_plain_counting() -> None:
    table, true, predicted = draw(0)
    found = measure(table, true, predicted, positive="c1")
    inside = ((table["sex"] == "sex1") & (table["age"] == "age0")).to_numpy()
    own, said = true[inside] == "c1", predicted[inside] == "c1"
    want = {
        "accuracy": ((own == said).mean(), len(own)),
        "selection rate": (said.mean(), len(own)),
        "true positive rate": (said[own].mean(), own.sum()),
        "false positive rate": (said[~own].mean(), (~own).sum()),
    }
    for metric, (value, n) in want.items():
        row = row_of(found.gaps, metric, sex="sex1", age="age0")
        assert (row["value"], row["n"]) == (pytest.approx(value), n)
        assert row["ci_low"] < value < row["ci_high"]
        assert (row["state"], row["q"]) == (None, None)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("attributes", [["sex"], ["age"], ["age", "sex"]])
def test_disparities_equal_fairlearns(classes: int, attributes: list[str]) -> None:
    import fairlearn.metrics as fairlearn

    table, true, predicted = draw(classes, classes)
    found = measure(table, true, predicted, positive="c1")
    groups = [table[name].to_numpy() for name in attributes]
    features = groups[0] if len(groups) == 1 else np.stack(groups, axis=1)
    for name in ("demographic parity", "equalized odds", "equal opportunity"):
        for kind in ("difference", "ratio"):
            function = getattr(fairlearn, f"{name.replace(' ', '_')}_{kind}")
            want = function(true == "c1", predicted == "c1", sensitive_features=features)
            got = disparity(found, f"{name} {kind}", attributes)
            assert got == pytest.approx(want, abs=1e-12), (name, kind)
    assert found.disparities.schema == pl.Schema(DISPARITIES)
    assert found.disparities["left_out"].to_list() == [0] * 18


def test_groups_too_small_are_left_out_of_disparities() -> None:
    table, true, predicted = draw(0, n=400)
    table = table.with_columns(
        age=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("rare")).otherwise("age")
    )
    found = measure(table, true, predicted, positive="c1")
    rows = found.disparities.filter(pl.col("attributes") == ["age"])
    assert set(rows["groups"]) == {3}
    assert set(rows["left_out"]) == {1}
    lonely = measure(
        table.with_columns(sex=pl.lit("sex0")), true, predicted, positive="c1"
    ).disparities.filter(pl.col("attributes") == ["sex"])
    assert lonely["value"].null_count() == lonely.height == 6


def test_without_a_positive_class_accuracy_alone_is_compared() -> None:
    found = measure(*draw(0, 4))
    assert found.gaps["metric"].unique().sort().to_list() == ["accuracy", "error"]
    assert found.disparities.height == 0
    assert any("accuracy alone" in note for note in found.notes)
    row = row_of(found.gaps, "accuracy", sex="sex0")
    assert row["value"] == pytest.approx(1 - row_of(found.gaps, sex="sex0")["value"])
    assert row["best_difference"] == 0.0


def test_a_class_that_is_never_selected_has_no_ratio() -> None:
    table, true, _ = draw(0)
    found = measure(table, true, np.full(len(true), "c0"), positive="c1")
    assert disparity(found, "demographic parity difference", ["sex"]) == 0.0
    assert disparity(found, "demographic parity ratio", ["sex"]) is None


def test_a_positive_class_that_does_not_exist_is_refused_with_the_classes() -> None:
    with pytest.raises(ConfigError, match=r"'cat', which is no class.*c0, c1"):
        measure(*draw(0), positive="cat")


def test_samples_without_a_match_are_not_in_the_rates() -> None:
    table, true, predicted = draw(0)
    frame, ids = matches(true, predicted)
    found = measure_fairness(
        table, np.zeros(len(true)), sensitive=["sex"], sample_ids=ids, positive="c1",
        matches=frame.filter(pl.col("sample_id").is_in(ids[:1000])),
    )  # fmt: skip
    counts = found.gaps.filter(pl.col("metric") == "accuracy")["n"]
    assert counts.sum() == 1000


def test_a_sample_with_two_matches_is_refused() -> None:
    table, true, predicted = draw(0, n=100)
    frame, ids = matches(true, predicted)
    twice = pl.concat([frame, frame.filter(pl.col("sample_id") == "s7")])
    with pytest.raises(TableError, match=r"1 samples have more than one match.*'s7'"):
        measure_fairness(table, np.zeros(100), sensitive=["sex"], sample_ids=ids, matches=twice)


def test_the_class_that_rates_are_of_is_told() -> None:
    found = measure(*draw(0, 4), positive="c1")
    assert any("rates are of the class 'c1'" in note for note in found.notes)
