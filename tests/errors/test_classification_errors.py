"""Errors of classifiers against the category of each sample."""

import math
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.dataset import Dataset
from pipeline.exceptions import PredictionsError
from pipeline.files.csv_cells import escape_formulas
from pipeline.samples.read import read_samples
from pipeline.tables import CLASS_MATCHES
from tests.errors.frames import by_path, images, score_rows, system
from tests.samples.datasets import NO_SHARED, SHARED

PATHS = ["a.png", "b.png", "c.png", "d.png"]
SAMPLES = images(PATHS, ["cat", "dog", "cat", None])


def write(folder: Path, text: str) -> Path:
    file = folder / "predictions.csv"
    file.write_text(text)
    return file


def test_not_top1_compares_the_prediction_with_the_category(tmp_path: Path) -> None:
    file = write(tmp_path, "path,prediction\na.png,cat\nb.png,cat\nd.png,cat\nx.png,dog\n")
    scored = score_rows(system("classification", file, error="not-top1"), SAMPLES)
    assert by_path(scored, SAMPLES) == {"a.png": 0.0, "b.png": 1.0}
    assert scored.errors_without_sample == 1
    assert scored.samples_without_error == 2  # c has no prediction, d no category
    assert scored.notes["classes_never_predicted"] == ["dog"]
    assert scored.notes["predicted_classes_not_in_dataset"] == []


def test_not_top1_takes_the_most_probable_class_and_the_first_of_equal_ones(tmp_path: Path) -> None:
    file = write(tmp_path, "path,p_dog,p_cat\na.png,.5,.5\nb.png,.9,.1\nc.png,.2,.8\n")
    scored = score_rows(system("classification", file, error="not-top1"), SAMPLES)
    assert by_path(scored, SAMPLES) == {"a.png": 1.0, "b.png": 0.0, "c.png": 0.0}


def test_log_loss_is_that_of_the_true_class_and_clipped(tmp_path: Path) -> None:
    file = write(tmp_path, "path,p_dog,p_cat\na.png,0.75,0.25\nb.png,0,1\nc.png,0,1.0005\n")
    scored = score_rows(system("classification", file, error="log-loss"), SAMPLES)
    found = by_path(scored, SAMPLES)
    assert found["a.png"] == pytest.approx(math.log(4))
    assert found["b.png"] == pytest.approx(-math.log(1e-15))
    assert found["c.png"] == 0.0


def test_matches_hold_the_predicted_class_and_its_probability(tmp_path: Path) -> None:
    file = write(tmp_path, "path,p_dog,p_cat\nb.png,0,1.0005\na.png,.75,.25\nd.png,1,0\n")
    by_class = score_rows(system("classification", file, error="not-top1"), SAMPLES).matches
    by_loss = score_rows(system("classification", file, error="log-loss"), SAMPLES).matches
    assert by_class is not None
    assert by_loss is not None
    assert by_class.schema == pl.Schema(CLASS_MATCHES)
    assert by_class["sample_id"].is_sorted()
    joined = by_class.join(SAMPLES, on="sample_id").sort("path")
    assert joined.select("path", "true", "predicted", "score").rows() == [
        ("a.png", "cat", "dog", 0.75),
        ("b.png", "dog", "cat", 1.0),
    ]
    assert by_class.equals(by_loss)


def test_matches_of_given_predictions_have_no_probability(tmp_path: Path) -> None:
    file = write(tmp_path, "path,prediction,p_cat\na.png,dog,0.9\n")
    matches = score_rows(system("classification", file, error="not-top1"), SAMPLES).matches
    assert matches is not None
    assert matches.drop("sample_id").rows() == [("cat", "dog", None)]


def test_columns_of_the_table_never_stand_for_the_truth(tmp_path: Path) -> None:
    text = "path,row,file,category,prediction\na.png,9,x,dog,cat\nb.png,9,x,cat,cat\n"
    scored = score_rows(system("classification", write(tmp_path, text), error="not-top1"), SAMPLES)
    assert by_path(scored, SAMPLES) == {"a.png": 0.0, "b.png": 1.0}


def test_files_with_different_classes_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("path,p_dog,p_cat\na.png,.5,.5\n")
    two.write_text("path,p_dog\nb.png,1\n")
    with pytest.raises(PredictionsError, match="only in some: 'p_cat'"):
        score_rows(system("classification", one, two, error="log-loss"), SAMPLES)
    scored = score_rows(system("classification", one, two, error="not-top1"), SAMPLES)
    assert by_path(scored, SAMPLES) == {"a.png": 1.0, "b.png": 0.0}


def test_whole_number_classes_match_however_they_are_stored(tmp_path: Path) -> None:
    file = tmp_path / "p.parquet"
    pl.DataFrame({"path": ["a.png", "b.png"], "prediction": [3.0, 4.0]}).write_parquet(file)
    samples = images(["a.png", "b.png"], ["3", "3"])
    scored = score_rows(system("classification", file, error="not-top1"), samples)
    assert by_path(scored, samples) == {"a.png": 0.0, "b.png": 1.0}


@pytest.mark.parametrize(
    ("error", "text", "shown"),
    [
        ("log-loss", "path,p_dog,p_cat\na.png,.5,.6\nb.png,3,-2\n", "negative in row 2"),
        ("log-loss", "path,p_dog,p_cat\na.png,.5,.6\nb.png,.5,.5\n", "do not sum to 1 in row 1"),
        ("log-loss", "path,p_dog,p_cat\na.png,nan,.6\n", "'p_dog' is NaN in row 1"),
        ("log-loss", "path,p_dog,p_cat\na.png,1.5,.6\n", "'p_dog' is above 1.001 in row 1"),
        ("log-loss", "path,p_dog\na.png,1\n", "no column 'p_cat'"),
        ("log-loss", "path,prediction\na.png,cat\n", "expected columns: one p_CLASS a class"),
        ("not-top1", "path,class\na.png,cat\n", "'prediction' or one p_CLASS a class"),
        ("not-top1", "path,prediction\na.png,\n", "column 'prediction' is empty in row 1"),
        ("not-top1", "path,prediction\na.png,0\n", "no predicted class is a category.*'0'.*'cat'"),
    ],
)
def test_outputs_that_make_no_sense_are_refused(
    tmp_path: Path, error: str, text: str, shown: str
) -> None:
    with pytest.raises(PredictionsError, match=shown):
        score_rows(system("classification", write(tmp_path, text), error=error), SAMPLES)


def test_a_dataset_without_categories_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "path,prediction\na.png,cat\n")
    with pytest.raises(PredictionsError, match="no sample has a category"):
        score_rows(system("classification", file, error="not-top1"), images(PATHS))


def test_a_system_may_have_a_target_column_of_its_own(tmp_path: Path) -> None:
    file = write(tmp_path, "path,prediction\na.png,old\nb.png,old\nc.png,young\nd.png,3\n")
    columns = SAMPLES.select("sample_id", age=pl.Series([" old", "young", "", "3"]))
    asked = system("classification", file, error="not-top1", target="age")
    scored = score_rows(asked, SAMPLES, columns=columns)
    assert by_path(scored, SAMPLES) == {"a.png": 0.0, "b.png": 1.0, "d.png": 0.0}
    assert scored.matches is not None
    assert set(scored.matches["true"]) == {"old", "young", "3"}
    other = score_rows(asked, SAMPLES, columns=columns.with_columns(age=pl.lit("old")))
    assert other.error_id != scored.error_id
    with pytest.raises(PredictionsError, match="no column 'aeg' to be its target; did you mean 'a"):
        score_rows(asked.model_copy(update={"target": "aeg"}), SAMPLES, columns=columns)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_row_order_does_not_matter(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    names = ["cat", "dog", "cow"]
    paths = [f"{number}.png" for number in range(20)]
    samples = images(paths, [draw.choice(names) for _ in paths])
    frame = pl.DataFrame({"path": paths, "prediction": [draw.choice(names) for _ in paths]})
    results = []
    for part, rows in (
        (frame, samples),
        (frame.reverse(), samples.sample(fraction=1, shuffle=True, seed=seed)),
    ):
        part.write_csv(tmp_path / "p.csv")
        asked = system("classification", tmp_path / "p.csv", error="not-top1")
        results.append(score_rows(asked, rows).errors.drop("error_id"))
    assert results[0].equals(results[1])


@pytest.mark.skipif(not (SHARED / "cifar10").is_dir(), reason=NO_SHARED)
def test_cifar10_errors_are_those_of_the_published_probabilities(tmp_path: Path) -> None:
    folder = SHARED / "cifar10"
    read = read_samples(
        Dataset.model_validate({"format": "folder", "images": str(folder / "test")})
    )
    labels = np.load(folder / "cifar10_test_set_original_labels.npy")  # (10000,)
    chances = np.load(folder / "cifar10_test_set_pyx.npy")  # (10000, 10)
    names = sorted(read.samples["category"].unique().to_list())
    rows: list[int] = []
    for path in read.samples["path"].to_list():
        name, file = path.split("/")
        rows.append(int(np.flatnonzero(labels == names.index(name))[int(file[:4])]))
    frame = pl.DataFrame({"path": read.samples["path"]}).with_columns(
        pl.Series(f"p_{name}", chances[rows, index]) for index, name in enumerate(names)
    )
    frame.write_parquet(tmp_path / "p.parquet")
    for error, losses in (
        ("not-top1", (chances[rows].argmax(1) != labels[rows]).astype(float)),
        ("log-loss", -np.log(chances[rows, labels[rows]])),
    ):
        asked = system("classification", tmp_path / "p.parquet", error=error)
        scored = score_rows(asked, read.samples)
        found = read.samples.join(scored.errors, on="sample_id", maintain_order="left")
        np.testing.assert_allclose(found["error"].to_numpy(), losses, rtol=1e-6)
        assert (scored.errors_without_sample, scored.samples_without_error) == (0, 0)


def test_predictions_that_csv_escapes_are_read_back_as_they_were(tmp_path: Path) -> None:
    names = ["=a.png", "'b.png", "+c.png", "@d.png", "'=e.png"]
    classes = ["-cat", "=dog", "'=dog", "'cat", "@"]
    samples = images(names, classes)
    frame = pl.DataFrame(
        {"path": names, "prediction": classes}
        | {f"p_{one}": [float(one == own) for own in classes] for one in classes}
    )
    escape_formulas(frame).write_csv(tmp_path / "predictions.csv")
    scored = score_rows(
        system("classification", tmp_path / "predictions.csv", error="not-top1"), samples
    )
    assert by_path(scored, samples) == dict.fromkeys(names, 0.0)
    assert scored.errors_without_sample == 0
