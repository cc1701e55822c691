import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables import SWEEP
from reports.pages.report_page import build_report
from reports.parts.words import ErrorWords
from reports.views.sweeps import view_sweep
from tests.reports.fairness_examples import make_sweep
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_report_data, make_system, make_table

MISS = ErrorWords("miss", share=True)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


def make_points(*rows: tuple[float | None, float | None, float | None]) -> pl.DataFrame:
    return make_table([dict(zip(SWEEP, row, strict=True)) for row in rows], SWEEP)


def test_curve_runs_from_the_lowest_threshold_to_the_highest() -> None:
    view = view_sweep(make_points((0.9, 1.0, 0.5), (0.1, 0.25, 0.0), (0.5, 0.5, 0.25)), MISS)
    assert view is not None
    assert 'class="slice" points="0.00,75.00 50.00,50.00 100.00,0.00"' in view.chart
    assert 'class="rest" points="0.00,100.00 50.00,75.00 100.00,50.00"' in view.chart
    assert view.heights == ["100.0%", "50.0%", "0.0%"]
    assert view.thresholds == ["0.100", "0.500", "0.900"]
    assert view.rows[0] == ("0.100", "25.0%", "0.0%")


def test_curve_is_read_aloud_by_its_ends() -> None:
    view = view_sweep(make_points((0, 0.27, 0.05), (0.9, 0.8, 0.4)), MISS)
    assert view is not None
    assert view.label == (
        "at score threshold 0: 27.0% missed in this slice, 5.0% elsewhere; "
        "at score threshold 0.900: 80.0% missed in this slice, 40.0% elsewhere"
    )


def test_success_is_drawn_where_most_fails() -> None:
    words = ErrorWords("miss", share=True, success=True)
    view = view_sweep(make_points((0.0, 0.98, 0.84), (1.0, 1.0, 0.9)), words)
    assert view is not None
    assert view.rows[0] == ("0", "2.0%", "16.0%")
    assert view.heights == ["20.0%", "10.0%", "0.0%"]
    assert 'class="slice" points="0.00,90.00 100.00,100.00"' in view.chart


@pytest.mark.parametrize(
    "sweep", [None, make_points(), make_points((0.5, 0.1, 0.1)), make_points((0.5, None, 0.1)),
              make_points((0.5, 0.2, 0.1), (0.5, 0.3, 0.1))],
)  # fmt: skip
def test_fewer_than_two_thresholds_draw_no_curve(sweep: pl.DataFrame | None) -> None:
    assert view_sweep(sweep, MISS) is None


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=8))
def test_any_numbers_stay_inside_the_picture(
    rows: list[tuple[float | None, float | None, float | None]],
) -> None:
    view = view_sweep(make_points(*rows), ErrorWords("misses", share=False))
    if view is None:
        return
    page = read_page(str(view.chart))
    assert page.faults == []
    for line in page.select("polyline"):
        points = (line.attributes["points"] or "").replace(",", " ").split()
        assert all(0 <= float(place) <= 100 for place in points)


def test_card_shows_the_curve_of_its_own_finding() -> None:
    system = make_system(2, sweeps={2: make_sweep()})
    page = read_page(build_report(make_report_data(systems=(system,))))
    curves = [s for s in page.select("svg") if s.attributes.get("class") == "curve"]
    assert len(curves) == 1
    assert "detections below this score are ignored" in page.words
    assert page.words.index("eyeglasses = yes confirmed") < page.words.index("The curve as a table")
