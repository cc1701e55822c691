"""Errors from a column that the user counted."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.exceptions import PredictionsError
from pipeline.tables import ERRORS
from tests.errors.frames import (
    by_path,
    images,
    score_rows,
    system,
    true_object,
    truth_frame,
    with_objects,
)

PATHS = ["a.png", "b.png", "sub/c.png"]


def test_the_asked_column_is_the_error_and_nothing_is_lost_in_the_join(tmp_path: Path) -> None:
    file = tmp_path / "losses.csv"
    file.write_text("path,loss,error\nsub/c.png,0.25,9\n./a.png,1e3,9\nother.png,3,9\n")
    samples = images(PATHS)
    scored = score_rows(system("table", file, error="loss"), samples)
    assert by_path(scored, samples) == {"a.png": 1000.0, "sub/c.png": 0.25}
    assert (scored.errors_without_sample, scored.samples_without_error) == (1, 1)
    assert scored.errors.schema == pl.Schema(ERRORS)
    assert scored.errors["metric"].unique().to_list() == ["loss"]
    assert scored.errors["sample_id"].is_sorted()


@pytest.mark.parametrize(
    ("error", "column", "expected"),
    [("column", None, 1.0), ("column", "loss", 2.0), ("loss", None, 2.0), ("brier", "loss", 2.0)],
)
def test_the_column_is_named_by_column_or_by_error(
    tmp_path: Path, error: str, column: str | None, expected: float
) -> None:
    file = tmp_path / "t.parquet"
    pl.DataFrame({"path": ["a.png"], "error": [1], "loss": [2.0]}).write_parquet(file)
    samples = images(["a.png"])
    scored = score_rows(system("table", file, error=error, column=column), samples)
    assert by_path(scored, samples) == {"a.png": expected}
    metric = "loss" if error == "column" and column else error
    assert scored.errors["metric"].to_list() == ["error" if metric == "column" else metric]


def test_values_that_are_no_errors_are_refused_with_all_their_rows(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    values = ["1", "nan", "-2", "inf", "", "much", "NaN", "-inf"]
    rows = [f"{number}.png,{value}" for number, value in enumerate(values)]
    file.write_text("\n".join(["path,loss", *rows]))
    with pytest.raises(PredictionsError) as caught:
        score_rows(system("table", file, error="loss"), images(["0.png"]))
    shown = str(caught.value)
    for line in (
        "'loss' is NaN in rows 2, 7",
        "'loss' is negative in row 3",
        "'loss' is infinite in rows 4, 8",
        "'loss' is empty in row 5",
        "'loss' is not a number in row 6",
    ):
        assert line in shown
    assert "bad.csv" in shown


def test_many_bad_rows_are_cut_to_twenty_and_a_count(tmp_path: Path) -> None:
    file = tmp_path / "bad.parquet"
    pl.DataFrame({"path": map(str, range(50)), "loss": [-1.0] * 50}).write_parquet(file)
    with pytest.raises(PredictionsError, match=r"rows 1, 2, .*, 19, 20 and 30 more"):
        score_rows(system("table", file, error="loss"), images(["0"]))


def test_two_rows_for_one_sample_are_refused_also_across_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("path,loss\na.png,1\nb.png,2\n")
    two.write_text("path,loss\nsub/c.png,1\nb.png,2\n")
    both = system("table", one, two, error="loss")
    with pytest.raises(
        PredictionsError, match=r"(?s)more than one row.*one.csv: row 2.*two.csv: row 2"
    ):
        score_rows(both, images(PATHS))
    two.write_text("path,loss\nsub/c.png,1\n")
    assert score_rows(both, images(PATHS)).errors.height == 3


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("path,los\na.png,1\n", "column 'loss' is missing; did you mean 'los'"),
        ("file,loss\na.png,1\n", "'sample_id', 'path' or 'annotation_id', found file, loss"),
        ("annotation_id,loss\n1,1\n", "expected a column 'sample_id' or 'path' to name"),
        ("path,loss\n,1\n", "column 'path' is empty in row 1"),
        ("path,loss\nz.png,1\n", "none of its rows is about a sample.*'z.png'.*'a.png'"),
        ("", "the file is empty"),
    ],
)
def test_a_table_that_cannot_be_joined_is_a_clear_error(
    tmp_path: Path, content: str, shown: str
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content)
    with pytest.raises(PredictionsError, match=shown):
        score_rows(system("table", file, error="loss"), images(["a.png"]))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="there is no such file"):
        score_rows(system("table", tmp_path / "none.csv", error="loss"), images(["a.png"]))


def test_rows_without_any_sample_are_no_errors_of_any(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("path,loss\n")
    scored = score_rows(system("table", file, error="loss"), images(["a.png"]))
    assert (scored.errors.height, scored.samples_without_error) == (0, 1)


def test_objects_are_named_by_id_annotation_or_path_and_annotation(tmp_path: Path) -> None:
    box = (1, 1, 5, 5)
    truth = truth_frame([true_object(1, 1, box), true_object(2, 1, box), true_object(2, 2, box)])
    samples = with_objects(truth)
    file = tmp_path / "t.csv"
    asked = system("table", file, error="loss")
    file.write_text("path,annotation_id,loss\n1.png,2,5\n2.png,2,6\n")
    scored = score_rows(asked, samples)
    assert (scored.errors["error"].sum(), scored.samples_without_error) == (11.0, 1)
    file.write_text("annotation_id,loss\n1,5\n")
    assert score_rows(asked, samples).errors.height == 1
    file.write_text("annotation_id,loss\n2,5\n")
    with pytest.raises(PredictionsError, match="annotation_id '2' names several samples"):
        score_rows(asked, samples)
    file.write_text("path,loss\n1.png,5\n")
    with pytest.raises(PredictionsError, match=r"path '1\.png' names several samples"):
        score_rows(asked, samples)
    file.write_text(f"sample_id,path,loss\n{samples['sample_id'][-1]},whatever,5\n")
    assert score_rows(asked, samples).errors["sample_id"].to_list() == [samples["sample_id"][-1]]


def test_error_id_changes_with_bytes_settings_and_samples_but_not_with_order(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("path,loss,other\na.png,1,1\nb.png,2,2\n")
    two.write_text("path,loss,other\na.png,1,1\nb.png,3,2\n")
    samples = images(PATHS)

    def error_id(file: Path, error: str, frame: pl.DataFrame) -> str:
        scored = score_rows(system("table", file, error=error), frame)
        (only,) = scored.errors["error_id"].unique().to_list()
        return str(only)

    ids = {
        error_id(one, "loss", samples),
        error_id(two, "loss", samples),
        error_id(one, "other", samples),
        error_id(one, "loss", samples.head(2)),
    }
    assert len(ids) == 4
    assert error_id(one, "loss", samples.reverse()) in ids
