"""gates.xml: the verdicts of gates as JUnit XML, which build servers show beside tests."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

from pipeline.vocabulary import FAIL, PASS
from reports.machine.findings_json import write_findings
from reports.models import ReportData

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_gates(data: ReportData) -> str | None:
    """Return one test suite a system and one test case a verdict; None without gates.

    A gate that does not judge (insufficient evidence, unchecked labels) is a skipped test case.
    """
    content = json.loads(write_findings(data))
    gates = content["gates"]
    if not gates:
        return None
    root = ET.Element("testsuites", {"name": _clean(content["audit"])} | _count(gates))
    for system in dict.fromkeys(gate["system"] for gate in gates):
        own = [gate for gate in gates if gate["system"] == system]
        named = {"name": _clean(system), "timestamp": content["started_at"]}
        suite = ET.SubElement(root, "testsuite", named | _count(own))
        for gate in own:
            _add_case(suite, gate, system)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _add_case(suite: ET.Element, gate: dict[str, Any], system: str) -> None:
    by = f" ({gate['labels']} labels)" if gate["labels"] else ""
    name = f"error of {gate['slice']}{by}"
    case = ET.SubElement(
        suite, "testcase", classname=f"weakspot.{_clean(system)}", name=_clean(name)
    )
    if gate["verdict"] == PASS:
        return
    message = f"{gate['verdict']}: {_write_difference(gate)}"
    kind = "failure" if gate["verdict"] == FAIL else "skipped"
    ET.SubElement(case, kind, message=_clean(message))


def _write_difference(gate: dict[str, Any]) -> str:
    """Write what was judged: "+0.071 (0.052 to 0.090) with n = 812; at most 0.05"."""
    if gate["difference"] is None:
        return f"n = {gate['n']}"
    ends = [gate["difference_low"], gate["difference_high"]]
    interval = "" if None in ends else f" ({ends[0]:.3f} to {ends[1]:.3f})"
    what = "above the limit" if not gate["predicates"] else "to the rest"
    return (
        f"{gate['difference']:+.3f}{interval} {what} with n = {gate['n']}; limit {gate['limit']:g}"
    )


def _count(gates: list[dict[str, Any]]) -> dict[str, str]:
    failures = sum(gate["verdict"] == FAIL for gate in gates)
    skipped = sum(gate["verdict"] not in (FAIL, PASS) for gate in gates)
    return {"tests": str(len(gates)), "failures": str(failures), "skipped": str(skipped)}


def _clean(text: str) -> str:
    """Replace characters that XML 1.0 does not allow."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
