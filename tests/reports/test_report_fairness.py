from dataclasses import replace

import polars as pl
import pytest

from pipeline.exceptions import TableError
from pipeline.tables import COVERAGE, DISPARITIES
from reports.pages.report_page import build_report
from tests.reports.fairness_examples import (
    ADJUSTED,
    make_empty_gap,
    make_fairness,
    make_gap,
    make_gaps,
    make_small_gap,
    make_verdicts,
    read_words,
    with_gaps,
)
from tests.reports.page_reader import read_page
from tests.reports.report_examples import (
    make_label_quality,
    make_quality_row,
    make_report_data,
    make_system,
    make_table,
)


def test_group_is_shown_with_all_its_numbers() -> None:
    words = read_words(with_gaps(make_gap(("gender", "woman"))))
    assert (
        "gender = womangap 612 12.4%10.0% to 15.3% +8.35.7 to 11.2 3.02\u00d7 +9.44.13\u00d7 "
        "+6.92.25\u00d7 <0.0001" in words.replace("\u00a0", " ")
    )
    assert "Worst off: gender = woman, 12.4% missed against 4.1% in the rest (n = 612)." in words
    assert "Groups and pairs: 1 with a gap. Overall: 5.5% missed" in words


@pytest.mark.slow
def test_adjusted_difference_stands_beside_the_raw_one_only_when_asked_for() -> None:
    row = make_gap(("gender", "woman"), **ADJUSTED)
    words = read_words(with_gaps(row, adjust_for=("object_height", "blur")))
    assert "+8.35.7 to 11.2 +3.1\u22121.2 to 7.493.0% compared 3.02\u00d7" in words
    assert "among images alike in object_height and blur" in words
    assert "Adjusted" not in read_words(with_gaps(row))


def test_null_adjusted_difference_still_tells_what_could_be_compared() -> None:
    row = make_gap(("gender", "woman"), compared_share=0.21)
    assert "\u201321.0% compared" in read_words(with_gaps(row, adjust_for=("blur",)))


def test_small_group_says_what_would_do_and_an_empty_one_is_never_judged() -> None:
    words = read_words(
        with_gaps(make_small_gap(("age", "old")), make_empty_gap(("age", "ancient")))
    )
    assert "age = oldinsufficient evidenceabout 230 samples would do 11 18.2%" in words
    assert "age = ancientemptyabout 230 samples would do 0 no sample to judge by" in words
    assert "No group was shown to fare worse than the rest." in words
    assert "Groups and pairs: 1 with insufficient evidence, 1 empty." in words


def test_gap_in_favor_of_a_group_is_no_group_worst_off() -> None:
    row = make_gap(("gender", "man"), difference=-0.03, best_difference=0.0, best_ratio=1.0)
    words = read_words(with_gaps(row))
    assert "gender = mangap in its favor" in words
    assert "No group was shown to fare worse" in words
    assert "best" in words


def test_the_verdict_of_the_page_says_who_is_worst_off() -> None:
    words = read_words(with_gaps(make_gap(("gender", "woman"))))
    verdict = words[: words.index("Weak slices of finder A slice")]
    assert (
        "Fairness of finder, groups by true attributes. Worst off: gender = woman, 12.4% missed "
        "against 4.1% in the rest" in verdict.replace("\u00a0", " ")
    )


def test_a_pair_is_named_beside_its_value_only_where_it_fares_clearly_worse() -> None:
    alone = make_gap(("gender", "woman"), difference=0.08, difference_high=0.11)
    alike = make_gap(("age", "old"), ("gender", "woman"), difference=0.09)
    worse = make_gap(("age", "young"), ("gender", "woman"), difference=0.12)
    words = read_words(with_gaps(alone, alike, worse))
    start = words.index("Worst off", words.index("Fairness between groups"))
    named = words[start : words.index("Groups and pairs", start)].replace("\u00a0", " ")
    assert named.count("missed against") == 2
    assert named.startswith("Worst off: age = young and gender = woman")
    assert "age = old" not in named


def test_groups_of_bins_stand_in_the_order_of_the_bins() -> None:
    values = ("<= 9", "(9, 20]", "> 20")
    coverage = make_table(
        [{"attribute": "height", "value": value, "n": 10, "share": 0.3} for value in values],
        COVERAGE,
    )
    rows = [make_gap(("height", value)) for value in sorted(values)]
    rows += [row | {"metric": "recall"} for row in rows]
    words = read_words(with_gaps(*rows, attributes=("height",)), coverage=coverage)
    table = words[words.index("Groups by true attributes Group") :]
    names = ("height <= 9", "height in (9, 20]", "height > 20")
    assert [table.index(name) for name in names] == sorted(table.index(name) for name in names)
    rates = table[table.index("Other rates by group") :]
    assert [rates.index(name) for name in names] == sorted(rates.index(name) for name in names)


def test_true_attributes_come_before_predicted_ones_and_are_never_confused() -> None:
    words = read_words(make_fairness(labels="predicted"), make_fairness())
    first = words.index("finder, groups by true attributes")
    second = words.index("finder, groups by predicted labels")
    assert first < second
    assert "some images stand in the wrong group" not in words[first:second]
    assert "some images stand in the wrong group" in words[second:]
    assert words[first:second].count("by predicted labels") == 0


def test_predicted_groups_tell_how_many_of_their_labels_are_right() -> None:
    quality = make_label_quality(
        make_quality_row("gender", None), make_quality_row("gender", "woman", precision=0.913)
    )
    gaps = make_gap(("gender", "woman"))
    words = read_words(with_gaps(gaps, labels="predicted"), label_quality=quality)
    assert "gender = womangap91.3% of its labels right" in words
    assert "91.3% of its" not in read_words(with_gaps(gaps), label_quality=quality)


def test_groups_of_given_values_are_not_called_predicted() -> None:
    report = with_gaps(
        make_gap(("weather", "fog")), labels="predicted", attributes=("weather",), perceived=False
    )
    words = read_words(report)
    assert "finder, groups by given labels" in words
    assert "stand in the wrong group" not in words


def test_given_values_beside_predicted_ones_are_told_apart() -> None:
    report = with_gaps(
        make_gap(("weather", "fog")),
        labels="predicted",
        attributes=("weather", "age", "sharpness"),
        perceived=False,
    )
    words = read_words(report)
    assert "finder, groups by predicted, given and measured labels" in words
    assert "A model predicted the labels of age, so some images" in words


def test_perceived_groups_bring_the_caution_about_people() -> None:
    plain = make_report_data(attributes=(), fairness=(make_fairness(perceived=False),))
    assert "They are not identity" not in build_report(plain)
    perceived = replace(plain, fairness=(make_fairness(perceived=True),))
    assert "They are not identity" in build_report(perceived)
    assert "Groups of people are perceived appearance" in build_report(perceived)


def test_rates_and_disparities_are_shown_in_their_units() -> None:
    words = read_words(make_fairness())
    assert "Group Recall False positives per image Average precision" in words
    assert "gender = woman 81.0%78.0% to 83.0%, n 2,301 0.8100.780 to 0.830, n 2,301" in words
    assert "Equalized odds difference gender 8.3 points 2 0" in words
    assert "Demographic parity ratio age and gender 0.710 4 2" in words


def test_real_valued_errors_have_no_points() -> None:
    row = make_gap(("gender", "woman"), value=2.31, ci_low=2.0, ci_high=2.6, difference=0.81)
    system = make_system(1, metric="log-loss", share=False)
    words = read_words(with_gaps(row, metric="log-loss"), systems=(system,))
    section = words[words.index("Fairness between groups") :]
    assert "2.312.00 to 2.60 +0.8100.0570 to 0.112" in section
    assert "points" not in section[: section.index("Equalized")]


def test_counts_of_things_are_never_percentages() -> None:
    row = make_gap(("gender", "woman"), value=0.31)
    words = read_words(with_gaps(row, system="other", metric="false-positives"))
    assert "Group n False positives per image Difference to rest Ratio" in words
    assert "0.310" in words


def test_few_values_of_an_attribute_stand_side_by_side() -> None:
    words = read_words(with_gaps(*make_gaps(), verdicts=None))
    names = ("gender = man", "gender = woman", "age = young", "age = adult", "age = old")
    table = words[words.index("Groups by true attributes Group") :]
    places = [table.index(name) for name in names]
    assert places == sorted(places)


def test_five_hundred_groups_fold_away_worst_first_and_the_page_stays_small() -> None:
    rows = [make_gap(("id", f"g{index:03}"), difference=index / 1000) for index in range(500)]
    reports = [
        with_gaps(*rows, system=f"s{index}", labels=labels)
        for index in range(2)
        for labels in ("truth", "predicted")
    ]
    text = build_report(make_report_data(0, fairness=reports))
    words = read_page(text).words
    assert "188 more rows" in words
    assert "300 more are not on this page" in words
    assert words.index("id = g499") < words.index("188 more rows") < words.index("id = g487")
    assert len(text.encode()) < 1_500_000


@pytest.mark.parametrize(
    "rows", [[], [make_gap(("gender", "woman"))], [make_empty_gap(("a", "b"))]]
)
def test_no_group_one_group_and_nothing_but_nulls_make_a_page(
    rows: list[dict[str, object]],
) -> None:
    nothing = pl.DataFrame(schema=dict(DISPARITIES))
    words = read_words(
        with_gaps(*rows, disparities=nothing, verdicts=make_verdicts(), gates=None, notes=())
    )
    assert ("There was no group to compare." in words) is (not rows)


def test_groups_of_every_state_are_counted_once() -> None:
    words = read_words(with_gaps(*make_gaps()))
    assert "6 with a gap, 2 with no gap shown, 2 with insufficient evidence, 1 empty" in words


def test_frames_without_their_columns_are_named() -> None:
    broken = make_fairness(gaps=pl.DataFrame({"metric": ["error"]}))
    with pytest.raises(TableError, match=r"(?s)gaps of finder.*'predicates' is missing"):
        build_report(make_report_data(fairness=(broken,)))
