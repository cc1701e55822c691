import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest

from pipeline.exceptions import TableError
from pipeline.tables import REPORTED
from reports.models import ReportData
from reports.pages.report_page import build_report
from reports.views.attributes import view_attributes
from tests.reports.detector_examples import make_detector
from tests.reports.fairness_examples import make_domain, make_fairness, make_sweep, make_verdicts
from tests.reports.page_reader import read_page
from tests.reports.report_examples import (
    make_finding,
    make_predicates,
    make_report_data,
    make_system,
    make_table,
    make_thumbnail,
)


def _examples() -> dict[str, ReportData]:
    silent = make_system(0, name="silent", n=0, overall_error=None, slices_counted=0)
    return {
        "no findings": make_report_data(0),
        "one": make_report_data(1),
        "fifteen": make_report_data(15),
        "several systems": make_report_data(
            systems=(make_system(3), make_system(2, name="second", share=False), silent)
        ),
        "groups": make_report_data(
            systems=(make_system(2, sweeps={1: make_sweep()}, detector=make_detector()),),
            fairness=(
                make_fairness(verdicts=make_verdicts("fail", "pass"), gates={"max_gap": 0.1}),
                make_fairness(labels="predicted"),
            ),
            domain=make_domain(),
        ),
        "nothing but a name": ReportData("bare", "r", "then", "now", samples=0, systems=()),
    }


@pytest.mark.parametrize("name", list(_examples()))
def test_page_is_well_formed_and_accessible(name: str) -> None:
    page = read_page(build_report(_examples()[name]))
    assert page.faults == []
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    levels = [int(element.tag[1]) for element in page.select("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.select("html")[0].attributes["lang"] == "en"
    assert all(cell.attributes.get("scope") for cell in page.select("th"))
    assert all(image.attributes.get("alt") for image in page.select("img"))
    for element in page.elements:
        for name_of_other in ("aria-labelledby",):
            other = element.attributes.get(name_of_other)
            assert other is None or other in ids


@pytest.mark.parametrize("name", list(_examples()))
def test_page_refers_to_nothing_outside_itself_and_runs_nothing(name: str) -> None:
    text = build_report(_examples()[name])
    page = read_page(text)
    ids = {element.attributes.get("id") for element in page.elements}
    for address in page.addresses:
        assert address.startswith("data:image/jpeg;base64,") or address.removeprefix("#") in ids
    assert not page.select("script", "link", "iframe", "object", "embed", "form", "base")
    assert not [e for e in page.elements if any(name.startswith("on") for name in e.attributes)]
    assert "://" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_policy_allows_the_style_by_its_hash_and_nothing_else() -> None:
    text = build_report(make_report_data(1))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    page = read_page(text)
    policies = [
        meta.attributes["content"]
        for meta in page.select("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    ]
    assert not [element for element in page.elements if "style" in element.attributes]


def test_importing_reports_loads_nothing_heavy() -> None:
    code = "import reports, sys; print(sorted({'jinja2', 'polars', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_same_data_gives_the_same_bytes() -> None:
    assert build_report(make_report_data(15)) == build_report(make_report_data(15))


def test_verdict_names_the_first_confirmed_finding_with_its_numbers() -> None:
    rows = [
        make_finding(1, state="likely", predicates=make_predicates(("age", "old"))),
        make_finding(2, state="confirmed"),
    ]
    system = make_system(0, findings=make_table(rows, REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert (
        "finder fails more where hat = yes: 27.1% missed against 5.0% elsewhere (n = 442)" in words
    )


def test_verdict_on_likely_findings_only_says_probably() -> None:
    findings = make_table([make_finding(1, state="likely")], REPORTED)
    system = make_system(0, findings=findings)
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "finder probably fails more where hat = yes" in words
    assert "About one in twenty" in words


def test_no_finding_is_said_with_the_gap_that_could_have_been_shown() -> None:
    words = read_page(build_report(make_report_data(0))).words
    assert "No weak slice found for finder" in words
    assert "differences from about 3.1 percentage points on" in words


def test_insufficient_evidence_is_shown_but_never_counted() -> None:
    rows = [make_finding(1), make_finding(2, state="insufficient evidence", n=31)]
    system = make_system(0, findings=make_table(rows, REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "It is the only weak slice that holds up" in words
    assert "Insufficient evidence: 1 slice" in words
    only = make_system(0, findings=make_table(rows[1:], REPORTED))
    words = read_page(build_report(make_report_data(systems=(only,)))).words
    assert "No weak slice found for finder" in words


def test_system_without_errors_is_told_from_a_perfect_one() -> None:
    silent = make_system(0, name="silent", n=0, overall_error=None, slices_counted=0)
    perfect = make_system(0, name="perfect", overall_error=0.0)
    words = read_page(build_report(make_report_data(systems=(silent, perfect)))).words
    assert "silent: no image has an error value, so there was nothing to search" in words
    assert "perfect made no error on any of 4,988 images" in words


def test_a_system_without_duplicates_is_not_called_one_without_errors() -> None:
    system = make_system(0, name="blind", metric="duplicates", share=False, overall_error=0.0)
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "blind made no duplicate detection on any of 4,988 images" in words
    assert "made no error" not in words


def test_mostly_wrong_system_is_shown_by_its_success_rates() -> None:
    row = make_finding(
        1, error=0.984, rest_error=0.837, difference=0.147, ci_low=0.12, ci_high=0.17
    )
    system = make_system(0, overall_error=0.84, findings=make_table([row], REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "Failure is the rule here (84.0% missed)" in words
    assert "1.6% found against 16.3% elsewhere" in words
    assert "\u221214.7 points \u221217.0 to \u221212.0" in words


def test_real_valued_errors_are_never_written_as_percentages() -> None:
    row = make_finding(1, error=2.313, rest_error=0.4, difference=1.9, ci_low=1.5, ci_high=2.3)
    system = make_system(
        0, metric="log-loss", share=False, overall_error=0.61, detectable_gap=0.2,
        findings=make_table([row], REPORTED),
    )  # fmt: skip
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "mean log-loss 2.31 against 0.400 elsewhere" in words
    assert "+1.90 1.50 to 2.30" in words
    assert "Failure is the rule" not in words


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("gender", {"name": "gender"}, True),
        ("marked sensitive", {"sensitive": True}, True),
        ("from person/", {"reference": "person/bald"}, True),
        ("weather", {}, False),
    ],
)
def test_perceived_appearance_is_told_wherever_people_are_labelled(
    name: str,
    change: dict[str, object],
    told: bool,  # noqa: FBT001 - a table of cases
) -> None:
    del name
    weather = make_report_data(1).attributes[-1]
    attribute = replace(weather, **change)  # type: ignore[arg-type]  # the cases' own fields
    words = read_page(build_report(make_report_data(1, attributes=(attribute,)))).words
    assert ("They are not identity" in words) is told


def test_finding_tells_where_its_labels_came_from_and_how_far_to_trust_them() -> None:
    words = read_page(build_report(make_report_data(1))).words
    assert (
        "Labels: hat predicted by an image-text model, so some labels are wrong "
        "(by true values or checks, 58.0% of the labels yes are right)." in words
    )


def test_everything_left_out_is_counted() -> None:
    words = read_page(build_report(make_report_data(1))).words
    assert "5 inputs could not be used" in words
    assert "samples the file is empty 4" in words
    assert "12 samples have no error and 3 errors belong to no sample" in words


def test_many_rejects_are_all_counted_though_not_all_listed() -> None:
    rejects = pl.DataFrame(
        {"path": [f"{index}.jpg" for index in range(5000)], "stage": "samples", "reason": "empty"}
    )
    text = build_report(make_report_data(0, rejects=rejects))
    assert "samples empty 5,000" in read_page(text).words
    assert "The first 200" in text
    assert len(text) < 200_000


def test_values_beyond_the_first_dozen_fold_away_but_stay() -> None:
    coverage = pl.DataFrame(
        {
            "attribute": "category",
            "value": [f"class {index}" for index in range(40)],
            "n": 10,
            "share": 0.025,
        }
    )
    words = read_page(build_report(make_report_data(0, coverage=coverage))).words
    assert "28 more values" in words
    assert "class 39" in words


def test_typical_report_is_under_three_megabytes() -> None:
    assert len(build_report(make_report_data(15)).encode()) < 3_000_000


def test_folded_slices_and_held_out_numbers_are_on_the_page() -> None:
    row = make_finding(
        1, holdout_n=210, holdout_error=0.25, holdout_rest_error=0.05, holdout_ci_low=0.14,
        holdout_ci_high=0.26, holdout_p=0.0004,
    )  # fmt: skip
    system = make_system(0, findings=make_table([row], REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "1 overlapping slice that this one explains Weak when taken alone" in words
    assert "than chance would put there. age = adult and hat = yes" in words
    assert "Held-out difference +20.0 points 14.0 to 26.0" in words
    assert "Held out: p 0.00040" in words


def test_the_number_of_explained_slices_is_all_of_them_not_those_listed() -> None:
    row = make_finding(1, folded_count=364)
    system = make_system(0, findings=make_table([row], REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "364 overlapping slices that this one explains" in words
    assert "The 1 with the best score are listed." in words


def test_beside_a_state_stands_the_p_that_gave_it() -> None:
    held = make_finding(1, q=0.13, holdout_n=210, holdout_p=0.0004)
    whole = make_finding(2, q=0.13, p_family=0.002)
    likely = make_finding(3, state="likely", q=0.013, p_family=0.2)
    fallback = make_finding(4, state="likely", q=0.33, p_family=0.01)
    system = make_system(0, findings=make_table([held, whole, likely, fallback], REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    for state, evidence in (
        ("confirmed", "held-out p 0.00040"), ("confirmed", "family-wise p 0.0020"),
        ("likely", "q 0.013"), ("likely", "family-wise p 0.010"),
    ):  # fmt: skip
        assert words.count(f"{state} {evidence}") >= 2  # in the table and on the card


def test_with_samples_held_out_sizes_say_of_how_many_they_are() -> None:
    row = make_finding(1, n=442, holdout_n=210, holdout_p=0.0004)
    system = make_system(0, n=4988, holdout_n=2000, findings=make_table([row], REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert words.count("(n = 442 of the 2,988 images searched)") == 2  # verdict and card
    assert "Over all 4,988 images: 5.5% missed." in words
    assert "The search saw 2,988 of the 4,988 images" in words
    assert "The other 2,000 were held out" in words
    plain = read_page(build_report(make_report_data(1))).words
    assert "images searched" not in plain


def test_a_run_of_values_reads_as_one_relation() -> None:
    bins = make_predicates(("sharpness", "<= 40"))
    ages = make_predicates(("age", "adult or old"))
    rows = [make_finding(1, predicates=bins), make_finding(2, predicates=ages)]
    system = make_system(0, findings=make_table(rows, REPORTED))
    words = read_page(build_report(make_report_data(systems=(system,)))).words
    assert "sharpness <= 40 confirmed" in words
    assert "age = adult or old confirmed" in words


def test_frame_without_its_columns_is_named() -> None:
    data = make_report_data(1, coverage=pl.DataFrame({"attribute": ["hat"]}))
    with pytest.raises(TableError, match=r"(?s)'coverage'.*'value' is missing"):
        build_report(data)


def test_intervals_of_object_audits_are_said_to_count_images() -> None:
    said = "which counts images where objects share them"
    assert said in build_report(make_report_data(sample_kind="object"))
    assert said not in build_report(make_report_data(sample_kind="image"))


def test_an_error_without_an_interval_leaves_its_cell_empty() -> None:
    data = make_report_data()
    bare = data.value_errors.with_columns(ci_low=pl.lit(None), ci_high=pl.lit(None))
    bare = bare.cast({"ci_low": pl.Float64, "ci_high": pl.Float64})
    cells = [
        [cell.interval for row in view.shown for cell in row.errors if cell]
        for view in view_attributes(make_report_data(value_errors=bare))
    ]
    assert {interval for view in cells for interval in view} == {""}
    assert '<td class="range"></td>' in build_report(make_report_data(value_errors=bare))


def test_captions_of_a_classifier_name_both_classes_and_the_probability() -> None:
    picture = make_thumbnail(1)
    wrong = replace(picture, true="deer", predicted="horse", probability=0.9312)
    unsure = replace(picture, true="deer", predicted="deer", error=0.0)
    system = make_system(1, metric="not-top1", gallery={1: (wrong, unsure, picture)})
    page = read_page(build_report(make_report_data(systems=(system,))))
    assert "wrong true deer, predicted horse, probability 0.931" in page.words
    assert "right true deer, predicted deer" in page.words
    assert page.words.count("true deer") == 2
    alts = [element.attributes["alt"] for element in page.select("img")]
    assert f"Sample {picture.caption}: wrong; true deer; predicted horse" in alts
