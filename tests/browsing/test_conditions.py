"""Conditions in words: what they select, and where they are wrong."""

import contextlib
import operator

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.browsing.condition_columns import ConditionColumn
from pipeline.browsing.conditions import MOST_CHARACTERS, parse_condition
from pipeline.exceptions import ConditionError

AGES = ("child", "adult", "senior")
BINS = ("<= 32", "(32, 128]", "> 128")
FRAME = pl.DataFrame(
    {
        "label.hat": pl.Series(["yes", "no", "yes", None], dtype=pl.Enum(["yes", "no", "unknown"])),
        "label.age": pl.Series(["child", "adult", "senior", "adult"], dtype=pl.Enum(AGES)),
        "label.height": pl.Series(["<= 32", "(32, 128]", "> 128", "> 128"], dtype=pl.Enum(BINS)),
        "label.road type": ["main road", "lane", "lane", "main road"],
        "error.a": [1.0, 0.0, 0.5, None],
        "path": ["a/1.jpg", "a/2.jpg", "b/'3'.jpg", "b/and.jpg"],
    }
)
COLUMNS = {
    "hat": ConditionColumn("label.hat", "value", ("yes", "no", "unknown")),
    "age": ConditionColumn("label.age", "value", AGES, AGES),
    "height": ConditionColumn("label.height", "value", BINS, BINS),
    "road type": ConditionColumn("label.road type", "value", ("main road", "lane")),
    "error": ConditionColumn("error.a", "number"),
    "path": ConditionColumn("path", "text"),
}


def select(text: str) -> list[int]:
    fits = FRAME.select(fits=parse_condition(text, COLUMNS))["fits"]
    fits = fits if len(fits) == FRAME.height else fits.new_from_index(0, FRAME.height)
    assert fits.null_count() == 0
    return fits.arg_true().to_list()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("hat = yes", [0, 2]),
        ("hat=yes and error > 0.5", [0]),
        ("HAT = yes or hat = no".replace("HAT", "hat"), [0, 1, 2]),
        ("hat = yes AND NOT age = child", [2]),
        ("hat != yes", [1]),  # what has no label fits no comparison
        ("not hat = yes", [1, 3]),
        ("error >= 0", [0, 1, 2]),
        ("error = 0.5", [2]),
        ("error != 1e0", [1, 2]),
        ("error < -1", []),
        ("hat in (yes, no)", [0, 1, 2]),
        ("(hat = no or age = senior) and error <= .5", [1, 2]),
        ("hat = no or hat = yes and error > 0.5", [0, 1]),  # `and` binds first
        # as findings write them
        ("height <= 32", [0]),
        ("height in (32, 128]", [1]),
        ("height > 128 and age = adult", [3]),
        ("height > 32", [1, 2, 3]),  # a run of two bins
        ("age = child or adult", [0, 1, 3]),  # a run of two values
        ("age = child or age = senior", [0, 2]),
        ("road type = main road and hat = yes", [0]),
        ('road type = "main road"', [0, 3]),
        ("path contains 'a/'", [0, 1]),
        ("path = \"b/'3'.jpg\"", [2]),
        ("path contains and", [3]),
    ],
)
def test_a_condition_selects_what_it_says(text: str, rows: list[int]) -> None:
    assert select(text) == rows


@pytest.mark.parametrize(
    ("text", "character", "words"),
    [
        ("hut = yes", 1, "did you mean 'hat'"),
        ("hat = yess", 7, "did you mean 'yes'"),
        ("hat = ", 7, "expected a value, found its end"),
        ("hat > 3", 5, "has values, no numbers"),
        ("error = high", 9, "expected a number, found 'high'"),
        ("error > 1 2", 11, "expected `and`, `or` or the end, found '2'"),
        ("error > 0 or", 13, "expected a name, found its end"),
        ("(hat = yes", 11, "expected `)`, found its end"),
        ("hat = yes)", 10, "found ')'"),
        ("hat in (yes, ", 14, "expected a value"),
        ("hat in yes", 8, "expected `(`"),
        ("error > nan", 9, "expected a number"),
        ("error > 1; DROP TABLE samples", 10, "found '; DROP TABLE samples'"),
        ("1=1", 1, "no '1' is known"),
        ("path contains ''", 17, "expected a text"),
        ("(" * 40 + "hat = yes", 26, "more than 24 brackets"),
        ("not " * 40 + "hat = yes", 101, "more than 24 brackets"),
        ("hat = yes " * 300, MOST_CHARACTERS + 1, "has 3,000 characters"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, character: int, words: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, COLUMNS)
    assert caught.value.position == character - 1
    assert f"condition, character {character}: " in str(caught.value)
    assert words in str(caught.value)


def test_a_condition_that_looks_like_sql_is_a_text_and_nothing_else() -> None:
    assert select('path = "\' OR 1=1 --"') == []
    assert select('path contains "\'; DELETE FROM samples"') == []


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_fault_with_a_place(text: str) -> None:
    with contextlib.suppress(ConditionError):
        select(text)
        return
    with pytest.raises(ConditionError) as caught:
        select(text)
    assert 0 <= caught.value.position <= len(text)


PARTS = st.sampled_from([("hat = yes", {0, 2}), ("error > 0", {0, 2}), ("age = adult", {1, 3})])


@given(PARTS, PARTS, PARTS)
def test_and_or_and_not_are_those_of_sets(
    a: tuple[str, set[int]], b: tuple[str, set[int]], c: tuple[str, set[int]]
) -> None:
    text = f"{a[0]} or not ({b[0]} and {c[0]})"
    assert set(select(text)) == operator.or_(a[1], {0, 1, 2, 3} - (b[1] & c[1]))
