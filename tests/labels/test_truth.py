"""True labels: how rows find their samples, and what is said when they do not."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.config.dataset import Truth, TruthValue
from pipeline.exceptions import DatasetError
from pipeline.labels.truth import TruthLabels, read_truth
from pipeline.tables import LABELS, SAMPLES

HAT = {"hat": {"column": "Hat", "yes": ["1"], "no": ["-1"]}}


def samples_of(rows: list[tuple[str, str, str | None, str | None]]) -> pl.DataFrame:
    """Make samples of (sample_id, path, parent_id, annotation_id)."""
    named = ("sample_id", "path", "parent_id", "annotation_id")
    data = [dict(zip(named, row, strict=True)) for row in rows]
    return pl.DataFrame(data, schema=dict(SAMPLES))


IMAGES = samples_of([("id0", "a/one.jpg", None, None), ("id1", "b/two.jpg", None, None)])
OBJECTS = samples_of(
    [
        ("id0", "one.jpg", None, None),
        ("id1", "one.jpg", "id0", "11"),
        ("id2", "one.jpg", "id0", "12"),
        ("id3", "two.jpg", None, None),
        ("id4", "two.jpg", "id3", "13"),
    ]
)


def read(
    folder: Path, text: str, samples: pl.DataFrame, *, key: str = "key", **attributes: object
) -> TruthLabels:
    file = folder / "truth.csv"
    file.write_text(text, encoding="utf-8")
    raw = {"file": file, "key": key, **(attributes or HAT)}
    return read_truth(Truth.model_validate(raw), samples)


def values(truth: TruthLabels) -> dict[str, str]:
    return dict(truth.labels.select("sample_id", "value").iter_rows())


@pytest.mark.parametrize(
    "keys",
    [
        ("a/one.jpg", "b/two.jpg"),
        ("one.jpg", "two.jpg"),
        ("id0", "id1"),
        ("./a/one.jpg", "b\\two.jpg"),
    ],
)
def test_a_row_names_its_sample_by_path_name_or_id(tmp_path: Path, keys: tuple[str, str]) -> None:
    truth = read(tmp_path, f"key,Hat\n{keys[0]},1\n{keys[1]},-1\n", IMAGES)
    assert values(truth) == {"id0": "yes", "id1": "no"}
    assert (truth.rows, truth.unmatched_rows, truth.samples_without) == (2, 0, 0)
    assert truth.problems == ()
    assert dict(truth.labels.schema) == dict(LABELS)
    assert set(truth.labels["source"]) == {"truth"}


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    truth = read(tmp_path, "Hat,key\n-1,two.jpg\n1,one.jpg\n", IMAGES)
    assert truth.labels["sample_id"].to_list() == ["id0", "id1"]
    assert values(truth) == {"id0": "yes", "id1": "no"}


def test_a_file_name_in_two_folders_names_neither(tmp_path: Path) -> None:
    twins = samples_of([("id0", "a/one.jpg", None, None), ("id1", "b/one.jpg", None, None)])
    truth = read(tmp_path, "key,Hat\none.jpg,1\nb/one.jpg,-1\n", twins)
    assert values(truth) == {"id0": "unknown", "id1": "no"}
    assert (truth.unmatched_rows, truth.samples_without) == (1, 1)


def test_samples_and_rows_that_do_not_meet_are_counted(tmp_path: Path) -> None:
    truth = read(tmp_path, "key,Hat\none.jpg,1\nthree.jpg,1\n,1\n", IMAGES)
    assert values(truth) == {"id0": "yes", "id1": "unknown"}
    assert (truth.rows, truth.unmatched_rows, truth.samples_without) == (3, 2, 1)
    assert "2 of 3 rows name no sample by 'key'" in truth.problems[0]
    assert "1 samples have no row" in truth.problems[1]


def test_an_object_is_known_by_its_annotation_id(tmp_path: Path) -> None:
    truth = read(tmp_path, "key,Hat\n11,1\n12,-1\n", OBJECTS)
    assert values(truth) == {
        "id0": "unknown",
        "id1": "yes",
        "id2": "no",
        "id3": "unknown",
        "id4": "unknown",
    }


def test_an_object_without_a_row_takes_the_values_of_its_image(tmp_path: Path) -> None:
    truth = read(tmp_path, "key,Hat\none.jpg,1\n12,-1\n", OBJECTS)
    found = values(truth)
    assert (found["id0"], found["id1"], found["id2"]) == ("yes", "yes", "no")
    assert truth.samples_without == 1  # the object of two.jpg; images are not searched


def test_an_annotation_id_of_two_files_names_neither(tmp_path: Path) -> None:
    twins = samples_of(
        [
            ("id0", "one.jpg", None, None),
            ("id1", "one.jpg", "id0", "7"),
            ("id2", "two.jpg", None, None),
            ("id3", "two.jpg", "id2", "7"),
        ]
    )
    truth = read(tmp_path, "key,Hat\n7,1\n", twins)
    assert set(values(truth).values()) == {"unknown"}
    assert truth.unmatched_rows == 1


def test_numbers_match_however_they_are_written(tmp_path: Path) -> None:
    truth = read(tmp_path, "key,Hat\none.jpg,1.0\ntwo.jpg, -1\n", IMAGES)
    assert values(truth) == {"id0": "yes", "id1": "no"}


def test_parquet_holds_numbers_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "truth.parquet"
    pl.DataFrame({"key": [11.0, 12.0], "Hat": [1, -1]}).write_parquet(file)
    truth = read_truth(Truth.model_validate({"file": file, "key": "key", **HAT}), OBJECTS)
    assert (values(truth)["id1"], values(truth)["id2"]) == ("yes", "no")


def test_values_may_come_from_several_columns(tmp_path: Path) -> None:
    hair = {
        "black": {"column": "Black", "cells": ["1"]},
        "blond": {"column": "Blond", "cells": ["1"]},
    }
    text = "key,Black,Blond\none.jpg,1,-1\ntwo.jpg,-1,1\n"
    assert values(read(tmp_path, text, IMAGES, hair=hair)) == {"id0": "black", "id1": "blond"}


def test_two_true_values_of_one_attribute_are_unknown(tmp_path: Path) -> None:
    hair = {
        "black": {"column": "Black", "cells": ["1"]},
        "blond": {"column": "Blond", "cells": ["1"]},
    }
    truth = read(tmp_path, "key,Black,Blond\none.jpg,1,1\ntwo.jpg,0,0\n", IMAGES, hair=hair)
    assert set(values(truth).values()) == {"unknown"}


def test_an_attribute_may_be_called_as_a_column_of_samples(tmp_path: Path) -> None:
    truth = read(
        tmp_path,
        "key,Hat\none.jpg,1\n",
        IMAGES,
        key="key",
        sample_id={"column": "Hat", "yes": ["1"]},
    )
    assert values(truth)["id0"] == "yes"


def test_missing_columns_are_all_reported_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read(tmp_path, "file,Hatt\none.jpg,1\n", IMAGES, key="fiel")
    assert "no column 'fiel'; did you mean 'file'?" in str(caught.value)
    assert "no column 'Hat'; did you mean 'Hatt'?" in str(caught.value)


def test_rows_that_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"'one.jpg' is on several rows"):
        read(tmp_path, "key,Hat\none.jpg,1\none.jpg,-1\n", IMAGES)


def test_rows_that_agree_count_once(tmp_path: Path) -> None:
    truth = read(tmp_path, "key,Hat\none.jpg,1\none.jpg,1\ntwo.jpg,1\n", IMAGES)
    assert truth.labels.height == 2
    assert truth.repeated_rows == 1
    assert truth.problems == (
        f"{tmp_path / 'truth.csv'}: 1 rows repeat another row; each counts once",
    )


def test_cells_in_another_case_are_refused_not_lost(tmp_path: Path) -> None:
    sex = {"column": "Sex", "man": ["Male"], "woman": ["female"]}
    with pytest.raises(DatasetError, match=r"truth.sex\] man: .* is 'Male', 1 are 'male'"):
        read(tmp_path, "key,Sex\none.jpg,male\ntwo.jpg,female\n", IMAGES, sex=sex)


def test_the_counts_of_each_value_are_returned(tmp_path: Path) -> None:
    truth = read(
        tmp_path, "key,Hat\none.jpg,1\ntwo.jpg,0\n", IMAGES, hat={"column": "Hat", "yes": ["1"]}
    )
    assert [fit.describe() for fit in truth.fits] == ["hat: yes 1; 1 cells of no value: '0' (1)"]


@pytest.mark.parametrize("content", [b"", b"PAR1 broken", b'key,Hat\n"one.jpg,1\n'])
def test_an_unreadable_file_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ("truth.parquet" if content.startswith(b"PAR1") else "truth.csv")
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="truth"):
        read_truth(Truth.model_validate({"file": file, "key": "key", **HAT}), IMAGES)


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    raw = {"file": tmp_path / "gone.csv", "key": "key", **HAT}
    with pytest.raises(DatasetError, match="there is no such file"):
        read_truth(Truth.model_validate(raw), IMAGES)


def test_label_ids_follow_the_file_and_the_meaning(tmp_path: Path) -> None:
    text = "key,Hat\none.jpg,1\n"
    first = read(tmp_path, text, IMAGES).labels["label_id"][0]
    other = {"column": "Hat", "yes": ["1", "2"], "no": ["-1"]}
    assert read(tmp_path, text, IMAGES).labels["label_id"][0] == first
    assert read(tmp_path, text + "two.jpg,1\n", IMAGES).labels["label_id"][0] != first
    assert read(tmp_path, text, IMAGES, hat=other).labels["label_id"][0] != first


def test_images_without_a_row_do_not_count_where_objects_have_theirs(tmp_path: Path) -> None:
    samples = pl.DataFrame(
        {
            "sample_id": ["image", "object"],
            "path": ["a.jpg", "a.jpg"],
            "parent_id": [None, "image"],
            "annotation_id": [None, "7"],
        }
    )
    (tmp_path / "truth.csv").write_text("id,hat\n7,1\n")
    hat = {"yes": TruthValue(column="hat", cells=("1",))}
    truth = Truth(file=tmp_path / "truth.csv", key="id", attributes={"hat": hat})
    assert read_truth(truth, samples).problems == ()
