"""Given labels: cells as text, values that name cells, and whom an attribute labels."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exceptions import DatasetError
from pipeline.labels.attribute_file import Attribute, make_given
from pipeline.labels.given import label_given, select_targets
from pipeline.tables import LABELS, SAMPLES

HAT = Attribute(name="hat", kind="given", column="Hat", values={"yes": ("1",), "no": ("-1", "0")})


def label_cells(attribute: Attribute, cells: pl.Series) -> list[str]:
    ids = [f"s{i}" for i in range(len(cells))]
    columns = pl.DataFrame({"sample_id": ids, attribute.given_column: cells})
    return label_given(attribute, columns, label_id="id")["value"].to_list()


def test_cells_become_the_values() -> None:
    cells = pl.Series(["dog", " cat ", "", None, "  "])
    expected = ["dog", "cat", "unknown", "unknown", "unknown"]
    assert label_cells(make_given("category"), cells) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pl.Series([1, 20]), ["1", "20"]),
        (pl.Series([1.0, 2.5, -0.0]), ["1", "2.5", "0"]),
        (
            pl.Series(["1.0", "+1", "2.50", "007", "1.0.0", "-"]),
            ["1", "1", "2.5", "007", "1.0.0", "-"],
        ),
        (pl.Series([True, False]), ["true", "false"]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.Series([2**53 + 1]), ["9007199254740993"]),
    ],
)
def test_numbers_are_written_in_one_form(cells: pl.Series, expected: list[str]) -> None:
    assert label_cells(make_given("column"), cells) == expected


def test_cells_that_no_value_lists_are_unknown() -> None:
    cells = pl.Series(["1", "1.0", "0", "-1", "2", None])
    assert label_cells(HAT, cells) == ["yes", "yes", "no", "no", "unknown", "unknown"]


def test_labels_are_a_checked_table_without_scores() -> None:
    columns = pl.DataFrame({"sample_id": ["b", "a"], "Hat": [1, 0]})
    labels = label_given(HAT, columns, label_id="id")
    assert dict(labels.schema) == dict(LABELS)
    assert labels.select("sample_id", "attribute", "source", "value", "label_id").rows() == [
        ("b", "hat", "given", "yes", "id"),
        ("a", "hat", "given", "no", "id"),
    ]
    assert labels["score"].null_count() == 2


def test_a_missing_column_names_the_nearest() -> None:
    columns = pl.DataFrame({"sample_id": ["a"], "category": ["dog"]})
    with pytest.raises(DatasetError, match="no column 'categroy'; did you mean 'category'"):
        label_given(make_given("categroy"), columns, label_id="id")


def test_the_id_of_a_sample_is_no_attribute() -> None:
    columns = pl.DataFrame({"sample_id": ["a"], "category": ["cat"]})
    with pytest.raises(DatasetError, match="no column 'sample_id'; known: category"):
        label_given(make_given("sample_id"), columns, label_id="x")


def test_a_column_of_lists_is_refused() -> None:
    with pytest.raises(DatasetError, match="column 'tags' holds List"):
        label_cells(make_given("tags"), pl.Series("tags", [["a"], ["b"]]))


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1))
def test_whole_numbers_match_as_text_floats_and_integers(numbers: list[int]) -> None:
    attribute = make_given("column")
    expected = [str(number) for number in numbers]
    assert label_cells(attribute, pl.Series(numbers)) == expected
    assert label_cells(attribute, pl.Series([f"{n}.0" for n in numbers])) == expected


def samples_of(parents: list[str | None]) -> pl.DataFrame:
    ids = [f"s{i}" for i in range(len(parents))]
    return pl.DataFrame({"sample_id": ids, "parent_id": parents}).pipe(
        lambda frame: frame.select(
            pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in SAMPLES.items()
        )
    )


@pytest.mark.parametrize("applies_to", ["image", "object"])
def test_in_an_image_audit_every_attribute_labels_every_image(applies_to: str) -> None:
    attribute = HAT.model_copy(update={"applies_to": applies_to})
    assert select_targets(samples_of([None, None]), attribute).height == 2


@pytest.mark.parametrize(("applies_to", "expected"), [("image", ["s0"]), ("object", ["s1", "s2"])])
def test_in_an_object_audit_an_attribute_labels_images_or_objects(
    applies_to: str, expected: list[str]
) -> None:
    attribute = HAT.model_copy(update={"applies_to": applies_to})
    targets = select_targets(samples_of([None, "s0", "s0"]), attribute)
    assert targets["sample_id"].to_list() == expected
