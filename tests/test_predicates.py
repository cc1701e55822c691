"""Predicates in words and back: single values, bins and named values."""

import polars as pl
import pytest

from pipeline.predicates import find_order_faults, name_run, read_predicate, select_rows

HEIGHT = ("<= 32", "(32, 128]", "(128, 256]", "> 256")
AGE = ("baby", "child", "adult", "senior")


@pytest.mark.parametrize(
    ("order", "first", "last", "words"),
    [
        (HEIGHT, 0, 1, "<= 128"),
        (HEIGHT, 1, 2, "(32, 256]"),
        (HEIGHT, 1, 3, "> 32"),
        (("<= 0.1", "(0.1, 0.5]", "> 0.5"), 1, 2, "> 0.1"),
        (("[0, 10)", "[10, 20)", "[20, 30)"), 0, 1, "[0, 20)"),
        (("< 10", "[10, 20)", ">= 20"), 1, 2, ">= 10"),
        (("(-inf, 0]", "(0, 1]", "(1, inf]"), 0, 1, "(-inf, 1]"),
        (AGE, 2, 3, "adult or senior"),
        (AGE, 0, 2, "baby to adult"),
        (("(128, 256]", "(32, 128]", "<= 32"), 0, 1, "(128, 256] or (32, 128]"),  # not rising
        (("<= 1", "(2, 3]", "> 3"), 0, 1, "<= 1 or (2, 3]"),  # a gap
        (("up to 10 %", "10 to 50 %", "over 50 %"), 1, 2, "10 to 50 % or over 50 %"),
    ],
)
def test_a_run_is_written_as_one_value(
    order: tuple[str, ...], first: int, last: int, words: str
) -> None:
    assert name_run(order, first, last) == words
    assert read_predicate(words, order) == order[first : last + 1]


def test_a_single_value_means_itself() -> None:
    assert read_predicate("adult", AGE) == ("adult",)
    assert read_predicate("unknown", AGE) == ("unknown",)
    assert read_predicate("baby to adult") == ("baby to adult",)  # no order: plain text


def test_rows_of_a_run_are_those_of_its_values() -> None:
    table = pl.DataFrame({"age": [*AGE, "unknown", "adult"], "hat": ["y", "y", "y", "n", "y", "y"]})
    run = {"attribute": "age", "value": "adult or senior"}
    hat = {"attribute": "hat", "value": "y"}
    rows = select_rows(table, [run, hat], orders={"age": AGE})
    assert rows.to_list() == [False, False, True, False, False, True]
    assert select_rows(table, [], orders={}).to_list() == [True] * 6


def test_words_that_could_not_be_read_back_are_refused() -> None:
    assert find_order_faults(AGE) == []
    assert find_order_faults(HEIGHT) == []
    assert "taken" in find_order_faults(("a", "b", "c"), others=["a or b"])[0]
    assert "twice" in find_order_faults(("a", "b", "a"))[0]
    assert "unknown" in find_order_faults(("a", "unknown", "b"))[0]
