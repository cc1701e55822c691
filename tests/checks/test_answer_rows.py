"""Answers of a user's file: what each row says, and all that is wrong with it."""

from collections.abc import Mapping

import polars as pl
import pytest

from pipeline.checks.answer_rows import ReadAnswers, read_answers
from pipeline.checks.answer_samples import SampleIndex
from pipeline.checks.answer_words import AnswerError, settle_answer
from pipeline.tables import LABELS, SAMPLES

VALUES = {"hat": ("yes", "no"), "age": ("child", "adult", "senior"), "time": ("day", "night")}
ROWS = [  # sample_id, path, annotation_id, parent_id
    ("i1", "a/1.jpg", None, None), ("i2", "b/1.jpg", None, None), ("i3", "b/3.jpg", None, None),
    ("o1", "a/1.jpg", "7", "i1"), ("o2", "a/1.jpg", "8", "i1"), ("o3", "b/3.jpg", "9", "i3"),
]  # fmt: skip
LABELLED = [
    ("o1", "hat", "yes"), ("o2", "hat", "unknown"), ("o3", "hat", "no"), ("o1", "age", "child"),
    ("i1", "time", "day"), ("i2", "time", "day"), ("i3", "time", "night"),
]  # fmt: skip


def make_index() -> SampleIndex:
    samples = [
        {"sample_id": s, "path": p, "annotation_id": a, "parent_id": parent}
        for s, p, a, parent in ROWS
    ]
    labels = [{"sample_id": s, "attribute": a, "value": v} for s, a, v in LABELLED]
    return SampleIndex(
        pl.DataFrame(samples, schema=dict(SAMPLES)), pl.DataFrame(labels, schema=dict(LABELS))
    )


def read(*rows: Mapping[str, str | None], checker: str | None = "me") -> ReadAnswers:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))
    now = "2026-01-01T00:00:00+00:00"
    return read_answers(table, make_index(), values=VALUES, checker=checker, now=now, first_line=2)


def say(*rows: Mapping[str, str | None]) -> list[tuple[str, str | None]]:
    found = read(*rows)
    assert found.problems == ()
    return list(found.answers.select("answer", "value").iter_rows())


HAT: dict[str, str | None] = {"sample_id": "o1", "attribute": "hat"}  # labelled "yes"
AGE: dict[str, str | None] = {"sample_id": "o1", "attribute": "age"}  # labelled "child"


def test_a_true_value_says_whether_the_label_is_right() -> None:
    assert say(HAT | {"value": "yes"}) == [("right", "yes")]
    assert say(HAT | {"value": "no"}) == [("wrong", "no")]


def test_wrong_of_two_values_is_the_other_and_of_three_leaves_it_open() -> None:
    assert say(HAT | {"answer": "wrong"}) == [("wrong", "no")]
    assert say(AGE | {"answer": "wrong"}) == [("wrong", None)]
    assert say(AGE | {"answer": "wrong", "value": "adult"}) == [("wrong", "adult")]
    unknown: dict[str, str | None] = {"sample_id": "o2", "attribute": "hat", "answer": "wrong"}
    assert say(unknown) == [("wrong", None)]


@pytest.mark.parametrize("word", ["cannot say", "Can't tell", "can\u2019t say", "CANNOT_TELL"])
def test_words_may_be_in_either_column(word: str) -> None:
    assert say(HAT | {"answer": word}) == [("cannot say", None)]
    assert say(HAT | {"value": word}) == [("cannot say", None)]


def test_a_true_value_unknown_is_cannot_say_unless_it_was_the_label() -> None:
    assert say(HAT | {"value": "unknown"}) == [("cannot say", None)]
    assert say({"sample_id": "o2", "attribute": "hat", "value": "unknown"}) == [
        ("right", "unknown")
    ]


def test_the_label_that_was_judged_is_that_of_the_file() -> None:
    assert say(AGE | {"shown": "adult", "answer": "right"}) == [("right", "adult")]


@pytest.mark.parametrize(
    "row",
    [
        {"path": "a/1.jpg", "annotation_id": "7"},
        {"path": ".\\a\\1.jpg", "annotation_id": "7"},
        {"annotation_id": "7"},
        {"sample_id": "o1"},
        {"sample_id": "o1", "path": "elsewhere.jpg"},
    ],
)
def test_a_sample_is_named_in_several_ways(row: dict[str, str | None]) -> None:
    found = read(row | {"attribute": "hat", "value": "yes"})
    assert found.problems == ()
    assert found.answers["sample_id"].to_list() == ["o1"]


@pytest.mark.parametrize(
    ("row", "sample_id"),
    [
        ({"path": "a/1.jpg", "attribute": "time"}, "i1"),
        ({"path": "a/1.jpg", "annotation_id": "8", "attribute": "time"}, "i1"),
        ({"path": "3.jpg", "attribute": "time"}, "i3"),  # a file name that is there once
        ({"path": "b/3.jpg", "attribute": "hat"}, "o3"),  # the one object of its image
    ],
)
def test_images_and_objects_differ_by_the_attribute(
    row: dict[str, str | None], sample_id: str
) -> None:
    found = read(row | {"answer": "right"})
    assert found.problems == ()
    assert found.answers["sample_id"].to_list() == [sample_id]


def test_all_problems_are_listed_with_their_lines() -> None:
    yes = {"value": "yes"}
    found = read(
        HAT | {"value": "yess"},
        {"path": "c.jpg", "attribute": "hat"} | yes,
        {"path": "a/1.jpg", "attribute": "hat"} | yes,
        {"path": "1.jpg", "attribute": "time", "value": "day"},
        {"sample_id": "o1", "attribute": "hatt"} | yes,
        HAT | yes,
        HAT | {"answer": "perhaps"},
        HAT | {"answer": "right", "value": "no"},
        HAT | {"answer": "cannot say", "value": "no"},
        {"sample_id": "i1", "attribute": "hat"} | yes,
        {"attribute": "hat"} | yes,
        {"sample_id": "o1"} | yes,
        HAT | yes | {"inclusion": "0"},
        HAT | yes | {"checked_at": "yesterday"},
        HAT | yes | {"draw": "random"},
        HAT | {"value": "yess"},
    )
    assert found.problems == (
        "value 'yess' is no value of 'hat'; did you mean 'yes'?: lines 2, 17",
        "path 'c.jpg' is no sample of this dataset: line 3",
        "path 'a/1.jpg' is 2 samples; name one by annotation_id or sample_id: line 4",
        "path '1.jpg' is no sample of this dataset: line 5",
        "attribute 'hatt' is not labelled here; did you mean 'hat'?: line 6",
        "answer 'perhaps' is none of right, wrong, cannot say: line 8",
        "answer 'right' to label 'yes', but value 'no': line 9",
        "answer 'cannot say', but value 'no': line 10",
        "sample_id 'i1' has no label of 'hat': line 11",
        "no sample_id, path or annotation_id: line 12",
        "no attribute: line 13",
        "inclusion '0' is no probability above 0 and at most 1: line 14",
        "checked_at 'yesterday' is no time as ISO 8601 writes it: line 15",
        "draw 'random' is none of value, finding, imported: line 16",
    )
    assert found.faulty == 15
    assert found.answers.height == 1


def test_a_row_without_a_checker_needs_one_by_name() -> None:
    assert read(HAT | {"value": "yes"}, checker=None).problems == (
        "no checker; give a column checker, or --checker NAME: line 2",
    )
    own = read(HAT | {"value": "yes", "checker": "ann"}, HAT | {"value": "no"})
    assert own.answers["checker"].to_list() == ["ann", "me"]


def test_later_rows_replace_earlier_ones_and_rows_without_an_answer_are_counted() -> None:
    found = read(HAT | {"value": "yes"}, HAT | {"value": None}, HAT | {"value": "no"})
    assert found.answers["value"].to_list() == ["no"]
    assert (found.replaced, found.unanswered, found.faulty) == (1, 1, 0)


def test_an_answer_to_no_label_needs_the_true_value() -> None:
    with pytest.raises(AnswerError, match="there is no label"):
        settle_answer("right", None, shown=None, values=("yes", "no"))
    assert settle_answer(None, "yes", shown=None, values=("yes", "no")) == ("wrong", "yes")


def test_of_very_many_problems_the_first_are_listed_and_the_others_counted() -> None:
    found = read(*({"path": f"x{n}.jpg", "attribute": "hat", "value": "yes"} for n in range(90)))
    assert len(found.problems) == 41
    assert found.problems[-1] == "50 more problems, in 50 rows"
    assert found.faulty == 90
