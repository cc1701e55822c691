import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.error_metrics import list_metrics
from reports.parts.charts import draw_bar, draw_interval, make_scale
from reports.parts.numbers import (
    format_edge,
    format_number,
    format_percent,
    format_probability,
    format_seconds,
    format_time,
)
from reports.parts.words import ErrorWords, write_predicates
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_predicates, make_system


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2714, "27.1%"), (0, "0.0%"), (1, "100.0%"), (0.0001, "<0.1%"), (0.9999, ">99.9%"),
        (1 - 1e-15, "100.0%"), (1e-15, "0.0%"),
        (None, "\u2013"), (math.nan, "\u2013"),
    ],
)  # fmt: skip
def test_percentages_never_hide_a_rare_error(value: float | None, text: str) -> None:
    assert format_percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.314, "2.31"), (0.4, "0.400"), (12345, "12,300"), (999.6, "1,000"), (0.01234, "0.0123"),
        (-3.5, "\u22123.50"), (0, "0"), (math.inf, "\u221e"), (-math.inf, "\u2212\u221e"),
        (1.2345e-5, "1.23\u00a0\u00d7\u00a010\u207b\u2075"), (math.nan, "\u2013"),
        (99.97, "100"), (1.7976e308, "1.80\u00a0\u00d7\u00a010\u00b3\u2070\u2078"),
    ],
)  # fmt: skip
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("edge", "text"), [(32.0, "32"), (0.5, "0.5"), (0.3824, "0.382"), (100.0, "100"), (0, "0")]
)
def test_edges_of_bins_read_as_their_file_has_them(edge: float, text: str) -> None:
    assert format_edge(edge) == text


@given(st.floats(1e-3, 9e5))
def test_written_number_is_within_half_a_percent(value: float) -> None:
    assert float(format_number(value).replace(",", "")) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("p", "text"),
    [(3e-40, "<0.0001"), (0.0032, "0.0032"), (0.0499, "0.050"), (0.31, "0.31"), (1, "1.00")],
)
def test_probabilities_have_two_significant_digits(p: float, text: str) -> None:
    assert format_probability(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00 s"), (0.42, "0.42 s"), (12.3, "12 s"), (185, "3 min 5 s"), (7440, "2 h 4 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_times_are_told_in_utc_and_odd_ones_stay() -> None:
    assert format_time("2026-11-21T12:15:42+02:00") == "21 November 2026, 10:15 UTC"
    assert format_time("yesterday") == "yesterday"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("yes", "a = yes"), ("<= 12.5", "a <= 12.5"), ("> 40", "a > 40"),
        ("(12.5, 40]", "a in (12.5, 40]"), ("<script>", "a = <script>"), ("<3", "a <3"),
        ("(see note]", "a = (see note]"),
    ],
)  # fmt: skip
def test_bins_read_as_relations_and_other_values_as_equal(value: str, text: str) -> None:
    assert write_predicates(make_predicates(("a", value))) == text


def test_slice_without_predicates_is_all_samples() -> None:
    assert write_predicates([]) == "all samples"


def test_success_words_turn_the_rate_and_the_sign() -> None:
    words = ErrorWords("not-top1", share=True, success=True)
    assert words.write(0.75) == "25.0% right"
    assert words.write_difference(0.1) == "\u221210.0 points"
    assert ErrorWords("not-top1", share=True).write_difference(0.1) == "+10.0 points"


@pytest.mark.parametrize(
    ("metric", "share", "text"),
    [
        ("miss", True, "25.0% missed"), ("iou-loss", True, "25.0% of the overlap lost"),
        ("score-loss", True, "25.0% of the score lost"), ("f1-loss", True, "25.0% of the F1 lost"),
        ("wrong-class", True, "25.0% taken for another class"),
        ("duplicates", True, "duplicate detections per object 0.250"),
        ("misses", False, "missed objects per image 0.250"),
        ("false-positives", False, "false positives per image 0.250"),
    ],
)  # fmt: skip
def test_errors_of_detectors_have_plain_words(
    metric: str,
    share: bool,  # noqa: FBT001 - a table of cases
    text: str,
) -> None:
    words = ErrorWords(metric, share)
    assert words.write(0.25) == text
    assert words.meaning


def test_every_error_that_a_detector_can_have_is_explained() -> None:
    for metric in list_metrics("coco-detections"):
        assert ErrorWords(metric, share=True).meaning


def test_counts_are_never_turned_into_success_rates() -> None:
    assert not make_system(1, metric="misses", overall_error=0.7).mostly_wrong
    assert make_system(1, metric="iou-loss", overall_error=0.7).mostly_wrong


def test_share_of_unknown_metric_keeps_its_name() -> None:
    assert ErrorWords("dents", share=True).write(0.25) == "mean dents 25.0%"


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=5), st.floats())
def test_every_drawn_position_lies_in_the_picture(values: list[float | None], value: float) -> None:
    scale = make_scale([item for item in values if item is None or abs(item) < 1e300])
    for picture in (
        draw_bar(value, scale, kind="slice", mark=value),
        draw_interval(value, None, value, scale, label="x", mark=value),
    ):
        page = read_page(str(picture))
        assert page.faults == []
        for shape in page.select("rect", "line", "circle"):
            for name in ("x", "x1", "x2", "cx", "width"):
                place = (shape.attributes.get(name) or "0").removesuffix("%")
                assert 0 <= float(place) <= 100.5


def test_bar_length_is_proportional_to_its_value() -> None:
    scale = make_scale([0.0, 1.0])
    widths = [
        read_page(str(draw_bar(value, scale, kind="rest"))).select("rect")[0].attributes["width"]
        for value in (0.25, 0.5)
    ]
    small, large = (float((width or "").removesuffix("%")) for width in widths)
    assert large == pytest.approx(2 * small, abs=0.02)


def test_label_of_a_chart_is_read_aloud_and_escaped() -> None:
    scale = make_scale([1.0])
    svg = read_page(str(draw_interval(0.5, 0.2, 0.8, scale, label='a "b" <c>'))).select("svg")[0]
    assert svg.attributes["role"] == "img"
    assert svg.attributes["aria-label"] == 'a "b" <c>'
