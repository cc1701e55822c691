"""Tables of classifiers that do not mean what they seem to: refused, or scored with a warning."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors.scored import Scored
from pipeline.exceptions import PredictionsError
from tests.errors.frames import images, score_rows, system

COUNT = 20
PATHS = [f"{number:02}.png" for number in range(COUNT)]
CLASSES = ["cat" if number % 2 else "dog" for number in range(COUNT)]
SAMPLES = images(PATHS, CLASSES)


def score(folder: Path, error: str = "not-top1", **columns: Any) -> Scored:
    file = folder / "predictions.csv"
    pl.DataFrame({"path": PATHS, **columns}).write_csv(file)
    return score_rows(system("classification", file, error=error), SAMPLES)


def probabilities(wrong: int) -> dict[str, Any]:
    """Return probabilities of the true class, in the first `wrong` rows of the other one."""
    cat = [0.8 if (name == "cat") == (row >= wrong) else 0.2 for row, name in enumerate(CLASSES)]
    return {"p_cat": cat, "p_dog": [1 - one for one in cat]}


def test_predictions_that_agree_with_their_probabilities_give_no_warning(tmp_path: Path) -> None:
    scored = score(tmp_path, prediction=CLASSES, **probabilities(0))
    assert scored.warnings == ()
    assert scored.notes["rows_that_disagree"] == 0
    even: dict[str, Any] = dict.fromkeys(("p_cat", "p_dog"), [0.5] * COUNT)
    assert score(tmp_path, prediction=CLASSES, **even).notes["rows_that_disagree"] == 0


@pytest.mark.parametrize("error", ["not-top1", "log-loss"])
def test_predictions_that_disagree_with_their_probabilities_give_one(
    tmp_path: Path, error: str
) -> None:
    scored = score(tmp_path, error, prediction=CLASSES, **probabilities(5))
    (warning,) = scored.warnings
    assert (
        "is not the most probable class in 5 of 20 rows (row 1 predicts 'dog' with 0.2" in warning
    )
    assert "'cat' has 0.8" in warning
    few = score(tmp_path, error, prediction=CLASSES, **probabilities(2))  # a threshold of its own
    assert (few.warnings, few.notes["rows_that_disagree"]) == ((), 2)


def test_classes_in_another_spelling_are_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError) as caught:
        score(tmp_path, prediction=["Cat" if name == "cat" else name for name in CLASSES])
    assert "predicted classes are spelled in another way" in str(caught.value)
    assert "'Cat' is 'cat' in the dataset" in str(caught.value)
    upper = {name.replace("cat", "CAT"): cells for name, cells in probabilities(0).items()}
    with pytest.raises(PredictionsError, match="'cat' is 'CAT' in the columns of probabilities"):
        score(tmp_path, prediction=CLASSES, **upper)
    with pytest.raises(PredictionsError, match="'cat' is 'CAT' in the columns of probabilities"):
        score(tmp_path, "log-loss", **upper)


def test_classes_that_the_dataset_does_not_have_are_refused_or_give_a_warning(
    tmp_path: Path,
) -> None:
    def with_birds(count: int) -> Scored:
        return score(tmp_path, prediction=["bird"] * count + CLASSES[count:])

    with pytest.raises(PredictionsError, match=r"16 of 20 .* 'bird' \(16\), the dataset has 'cat'"):
        with_birds(16)
    (warning,) = with_birds(5).warnings
    assert "5 of its 20 predicted classes are no category of the dataset: 'bird' (5)" in warning
    assert with_birds(2).warnings == ()
    assert with_birds(2).notes["rows_of_unknown_classes"] == 2


def test_columns_that_are_not_read_are_noted(tmp_path: Path) -> None:
    scored = score(tmp_path, Prediction=CLASSES, score=[0.1] * COUNT, **probabilities(0))
    assert scored.notes["columns_not_read"] == ["Prediction", "score"]
