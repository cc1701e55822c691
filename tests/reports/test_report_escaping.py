from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tables import (
    COLLECTION,
    COMBINATIONS,
    COVERAGE,
    DISPARITIES,
    GAPS,
    REJECTS,
    REPORTED,
    VERDICTS,
)
from reports.models import (
    AttributeReport,
    DomainReport,
    ErrorGate,
    FairnessReport,
    ReportData,
    Thumbnail,
)
from reports.pages.report_page import build_report
from tests.reports.fairness_examples import make_gap, make_sweep
from tests.reports.page_reader import Page, read_page
from tests.reports.report_examples import (
    make_finding,
    make_hostile_text,
    make_report_data,
    make_system,
    make_table,
)
from tests.reports.trust_examples import make_trust

TEXTS = make_hostile_text()


def fill_with(text: str) -> ReportData:
    """Return an audit that has `text` wherever a user's text can stand."""
    cell = text.encode("utf-8", "replace").decode("utf-8")  # what a frame can hold
    predicates = [{"attribute": cell, "value": cell}]
    finding = make_finding(1, predicates=predicates, folded=[predicates])
    system = make_system(
        0,
        name=cell,
        metric=text,
        findings=make_table([finding], REPORTED),
        search_notes=(text,),
        notes={"columns_not_read": [text], "detections": 5},
        warnings=(text,),
        gate=ErrorGate("fail", 0.1, 0.2),
        sweeps={1: make_sweep()},
        gallery={1: (Thumbnail(b"", text, 1.0, text, text), Thumbnail(b"\xff\xd8\xff", text, 0.5))},
    )
    return replace(
        make_report_data(systems=(system,)),
        name=text,
        run_id=text,
        started_at=text,
        finished_at=text,
        config=text,
        encoder_id=text,
        notes=(text,),
        versions={text: text},
        counts={text: 1},
        timings={text: 1.0},
        attributes=(AttributeReport(cell, "zero-shot", reference=text),),
        coverage=make_table([{"attribute": cell, "value": cell, "n": 1, "share": 1.0}], COVERAGE),
        rejects=make_table([{"path": cell, "stage": cell, "reason": cell}], REJECTS),
        fairness=(_fill_fairness(cell),),
        domain=_fill_domain(cell),
        trust=make_trust(cell),
    )


def _fill_fairness(text: str) -> FairnessReport:
    group = {"predicates": [{"attribute": text, "value": text}], "level": 1}
    return FairnessReport(
        system=text,
        labels="truth",
        metric=text,
        gaps=make_table([make_gap(**group), make_gap(metric=text + " rate", **group)], GAPS),
        disparities=make_table([{"metric": text, "attributes": [text]}], DISPARITIES),
        verdicts=make_table([{**group, "n": 3, "verdict": "fail"}], VERDICTS),
        gates={"max_gap": 0.1, "min_group": 50},
        adjust_for=(text,),
        attributes=(text,),
        notes=(text,),
    )


def _fill_domain(text: str) -> DomainReport:
    """Fill a map, the list and the plan; the other attribute is known to sort after no text."""
    predicates = [{"attribute": text, "value": text}, {"attribute": text + "~", "value": text}]
    rows = [{"predicates": predicates, "n": 0, "expected": 1.5, "state": "missing"}]
    plan = [{"predicates": predicates, "missing": 30, "covers": 1}]
    return DomainReport(
        (text, text + "~"),
        level=2,
        min_samples=30,
        combinations=make_table(rows, COMBINATIONS),
        collect_next=make_table(plan, COLLECTION),
    )


def outline(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    """Return tags and the names of their attributes: what text must never change."""
    return [(element.tag, tuple(element.attributes)) for element in page.elements]


PIECES = st.one_of(
    st.characters(exclude_categories=()),
    st.sampled_from(
        ["<b>", "</p>", "<!--", '" x=1 ', "' x=1 ", "&lt;", "{{ 1 }}", "\x00", "\udce9"]
    ),
)
PLAIN = outline(read_page(build_report(fill_with("plain"))))


@pytest.mark.parametrize("kind", list(TEXTS))
def test_text_from_data_never_becomes_markup(kind: str) -> None:
    text = build_report(fill_with(TEXTS[kind]))
    page = read_page(text)
    assert page.faults == []
    assert outline(page) == PLAIN
    text.encode("utf-8")


def test_hostile_text_is_shown_as_it_was_written() -> None:
    page = read_page(build_report(fill_with(TEXTS["script"])))
    assert page.text.count("<script>alert(1)</script>") >= 15


@settings(max_examples=40)
@given(st.lists(PIECES, min_size=1, max_size=20).map("".join))
def test_any_text_leaves_the_page_whole(text: str) -> None:
    page = build_report(fill_with(text))
    assert outline(read_page(page)) == PLAIN
    assert "\x00" not in page
    page.encode("utf-8")


def test_user_text_is_isolated_from_the_direction_of_its_neighbors() -> None:
    text = build_report(fill_with(TEXTS["rtl"]))
    assert f"<bdi>{TEXTS['rtl']}</bdi> probably" not in text
    assert f"<h1><bdi>{TEXTS['rtl']}</bdi></h1>" in text
    assert f"<bdi>{TEXTS['rtl']}</bdi>&nbsp;=&nbsp;<bdi>{TEXTS['rtl']}</bdi>" in text


def test_bytes_that_are_no_picture_are_not_embedded() -> None:
    svg = b"<svg onload='alert(1)'/>"
    system = make_system(1, gallery={1: (Thumbnail(svg, "x.svg", 1.0),)})
    page = read_page(build_report(make_report_data(systems=(system,))))
    assert not page.select("img")
    assert "no thumbnail" in page.words


def test_null_text_in_rejects_is_no_traceback() -> None:
    rejects = pl.DataFrame({"path": ["a"], "stage": ["samples"], "reason": [None]})
    assert "a" in build_report(make_report_data(0, rejects=rejects))
