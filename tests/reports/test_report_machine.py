"""The report for programs: findings.json keeps its schema, gates.xml is JUnit's."""

import json
import math
from xml.etree import ElementTree as ET

import jsonschema
import polars as pl
import pytest

from pipeline.tables import VERDICTS
from reports.machine.findings_json import describe_findings, write_findings
from reports.machine.gates_junit import write_gates
from reports.models import ErrorGate, ReportData
from tests import published_schema
from tests.reports.fairness_examples import make_fairness, make_verdicts
from tests.reports.report_examples import make_report_data, make_system

GATES = {"max_gap": 0.1, "min_group": 50}


def make_gated(*verdicts: str) -> ReportData:
    fairness = make_fairness(verdicts=make_verdicts(*verdicts), gates=GATES)
    return make_report_data(2, fairness=(fairness,))


def test_the_published_schema_is_up_to_date() -> None:
    assert published_schema.FILE.read_text(encoding="utf-8") == published_schema.write_schema(), (
        "run `make docs`"
    )
    jsonschema.Draft202012Validator.check_schema(describe_findings())


@pytest.mark.parametrize(
    "data",
    [
        make_report_data(3),
        make_report_data(0),
        make_gated("fail", "pass", "insufficient evidence"),
        ReportData(
            "bare", "r", "2026-11-21T10:02:11Z", "2026-11-21T10:02:12Z", samples=0, systems=()
        ),
    ],
    ids=["findings", "none", "gates", "bare"],
)
def test_what_is_written_keeps_the_schema(data: ReportData) -> None:
    content = json.loads(write_findings(data))
    jsonschema.validate(content, describe_findings())
    assert [len(system["findings"]) for system in content["systems"]] == [
        system.findings.height for system in data.systems
    ]


def test_numbers_are_those_of_the_table_and_what_is_none_is_null() -> None:
    system = make_system(1)
    findings = system.findings.with_columns(ci_high=pl.lit(math.inf), q=pl.lit(math.nan))
    changed = make_report_data(systems=(make_system(1, findings=findings),))
    (row,) = json.loads(write_findings(changed))["systems"][0]["findings"]
    assert (row["ci_high"], row["q"]) == (None, None)
    assert row["error"] == system.findings["error"][0]
    assert row["slice"].startswith(row["predicates"][0]["attribute"])


def test_gates_are_test_cases() -> None:
    data = make_gated("fail", "pass", "insufficient evidence", "not judged: labels unchecked")
    text = write_gates(data)
    assert text is not None
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert {name: root.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4", "failures": "1", "skipped": "2",
    }  # fmt: skip
    cases = root.findall("testsuite/testcase")
    assert [[child.tag for child in case] for case in cases] == [
        ["failure"], [], ["skipped"], ["skipped"],
    ]  # fmt: skip
    failure = cases[0].find("failure")
    assert failure is not None
    assert "limit 0.1" in str(failure.get("message"))
    assert write_gates(make_report_data(1)) is None


def test_the_gate_on_the_mean_error_is_one_too() -> None:
    gated = make_system(1, gate=ErrorGate(verdict="fail", max_error=0.01, error=0.05))
    data = make_report_data(systems=(gated,))
    (gate,) = json.loads(write_findings(data))["gates"]
    jsonschema.validate(json.loads(write_findings(data)), describe_findings())
    assert (gate["slice"], gate["verdict"], gate["difference"]) == ("all samples", "fail", 0.04)
    assert set(VERDICTS) <= set(gate)
    assert "above the limit" in str(write_gates(data))


def test_hostile_names_stay_text() -> None:
    name = 'a"><script>\x00\ud800</testsuites>'
    data = make_gated("fail")
    hostile = ReportData(**{**vars(data), "name": name})
    root = ET.fromstring(str(write_gates(hostile)))  # noqa: S314 - our own text
    assert (
        root.get("name")
        == 'a"><script>\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}</testsuites>'
    )
