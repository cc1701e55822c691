"""The panel of a detector as a whole."""

from typing import Any

from pipeline.errors.evaluation.evaluation_tables import (
    CATEGORY_SCORES,
    CONFUSIONS,
    OPERATING_POINTS,
)
from reports.pages.report_page import build_report
from reports.views.detectors import SHOWN_CATEGORIES, SHOWN_CONFUSIONS, view_detector
from tests.reports.detector_examples import make_detector
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_report_data, make_system, make_table


def read_words(**changes: Any) -> str:
    detector = make_detector(**changes)
    page = read_page(build_report(make_report_data(systems=(make_system(1, detector=detector),))))
    assert page.faults == []
    return " ".join(page.text.split())


def test_the_panel_names_average_precision_and_the_operating_points() -> None:
    assert "min_score" not in read_words()
    text = read_words(min_score=0.3)
    assert "Detections that score below 0.3 do not count (min_score)" in text
    assert "Average precision 51.2% at an overlap of 0.5 (AP50), 30.8% over" in text
    assert "Precision and recall at an overlap of 0.5 " in text
    assert "As audited: all detections that count 0.0500 60.0% 75.0% 66.7%" in text
    assert "balance best (F1) 0.310 80.0% 70.0% 74.7%" in text


def test_kinds_of_errors_have_their_counts_and_costs() -> None:
    text = read_words()
    assert "localization on an object of its category, but not well enough 100 2.1" in text
    assert "missed objects that no detection is about 500 10.7" in text


def test_categories_and_their_confusions_are_listed_but_not_what_is_missed() -> None:
    view = view_detector(make_detector())
    assert view is not None
    assert view.categories[1] == ("dog", "12", "0", "\u2013", "0.0%", "0.0%", "0.0%")
    assert view.confusions == [("person", "dog", "7")]


def test_long_tables_are_cut_and_say_so() -> None:
    names = [f"c{number:02}" for number in range(30)]
    rows = [
        {"category": name, "objects": 9, "detections": 0, "found": 0, "ap50": 0.1, "ap": 0.1}
        for name in names
    ]
    pairs = [{"category": name, "taken_for": "other", "n": 2} for name in names]
    view = view_detector(
        make_detector(
            categories=make_table(rows, CATEGORY_SCORES), confusions=make_table(pairs, CONFUSIONS)
        )
    )
    assert view is not None
    assert (len(view.categories), view.more_categories) == (SHOWN_CATEGORIES, 10)
    assert (len(view.confusions), view.more_confusions) == (SHOWN_CONFUSIONS, 10)


def test_a_detector_without_objects_or_detections_has_a_panel_too() -> None:
    text = read_words(
        ap50=None, ap=None, any_category=True, points=make_table([], OPERATING_POINTS)
    )
    assert "Average precision \u2013 at an overlap of 0.5" in text
    assert "whatever the category" in text


def test_names_of_categories_are_escaped() -> None:
    detector = make_detector(category="<b>x</b>")
    page = build_report(make_report_data(systems=(make_system(1, detector=detector),)))
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_other_systems_have_no_panel() -> None:
    assert view_detector(None) is None
    assert "The detector as a whole" not in build_report(make_report_data(1))


def test_curve_places_and_sizes_are_shown_with_their_numbers() -> None:
    text = read_words()
    assert "Lowest score Precision Recall 0.900 100.0% 20.0% 0.310 80.0% 70.0%" in text
    assert "duplicate 40 of 300 40 background 15 of 400 12" in text  # the most frequent kind first
    assert "below 16 px 90 20.0% 13.0% to 29.0% 0 \u2013" in text
    assert "from 192 px on 900 90.0%" in text
    view = view_detector(make_detector())
    assert view is not None
    assert [curve.name for curve in view.curves] == ["", "person"]
    assert view.curves[0].chart.count('class="point"') == 2
    assert view.curves[1].chart.count('class="point"') == 0
    assert "from 100.0% at a recall of 20.0% to 60.0% at 75.0%" in view.curves[0].chart
