"""Pages of samples: together they are the whole order, each sample once."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.browsing.cursors import (
    Cursor,
    CursorError,
    CursorGoneError,
    name_query,
    read_cursor,
)
from pipeline.browsing.sample_orders import order_rows, take_page

NUMBERS = st.lists(
    st.one_of(st.none(), st.integers(-3, 3).map(float), st.just(float("nan"))), max_size=40
)


@given(numbers=NUMBERS, descending=st.booleans(), limit=st.integers(1, 7), step=st.integers(1, 5))
def test_pages_are_the_sorted_rows_that_fit(
    *, numbers: list[float | None], descending: bool, limit: int, step: int
) -> None:
    series = pl.Series("n", numbers, dtype=pl.Float64)
    fits = np.array([at % step > 0 or step == 1 for at in range(len(numbers))], np.bool_)
    order = order_rows(series, descending=descending)
    seen: list[int] = []
    after: int | None = -1
    while after is not None:
        page = take_page(order, fits, after=after, limit=limit)
        assert len(page.rows) <= limit
        seen += page.rows.tolist()
        after = page.last
    known = [at for at, n in enumerate(numbers) if fits[at] and n is not None and n == n]
    sign = -1.0 if descending else 1.0
    known.sort(key=lambda at: (sign * (numbers[at] or 0.0), at))
    missing = [at for at, n in enumerate(numbers) if fits[at] and (n is None or n != n)]
    assert seen == known + missing


def test_texts_are_ordered_by_their_letters_and_ties_by_row() -> None:
    order = order_rows(pl.Series(["b", "a", None, "b"]), descending=False)
    assert order.tolist() == [1, 0, 3, 2]


def test_a_cursor_goes_with_its_query_and_snapshot_alone() -> None:
    asked = name_query("hat = yes", "-error")
    text = Cursor("snap", asked, 59).write()
    assert read_cursor(text, snapshot_id="snap", asked=asked) == 59
    with pytest.raises(CursorGoneError, match="have changed since"):
        read_cursor(text, snapshot_id="other", asked=asked)
    with pytest.raises(CursorError, match="another query"):
        read_cursor(text, snapshot_id="snap", asked=name_query("hat = no", "-error"))


@given(st.text(max_size=80))
def test_a_text_that_was_made_up_is_no_cursor(text: str) -> None:
    with pytest.raises(CursorError):
        read_cursor(text, snapshot_id="snap", asked="x")


def test_a_changed_character_makes_it_no_cursor() -> None:
    text = Cursor("snap", "x", 59).write()
    for place in range(len(text) - 1):
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(CursorError):
            read_cursor(other, snapshot_id="snap", asked="x")
