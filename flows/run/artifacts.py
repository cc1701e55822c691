"""What Prefect's page shows of an audit: tags, keys, and rows of tables, short enough to read."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from reports.parts.words import write_evidence, write_predicates

_SHOWN = 50  # gaps of a table; the report and the export hold all


def make_slug(name: str) -> str:
    """Return a name in lowercase letters, digits and dashes, as keys and tags in Prefect are."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "audit"


def make_tags(audit: str) -> list[str]:
    """Return the tags of all runs of an audit."""
    return ["weakspot", make_slug(audit)]


def list_findings(findings: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a row for each finding, worst first as they are given."""
    return [
        {
            "system": row["system"],
            "slice": write_predicates(row["predicates"]),
            "n": row["n"],
            "error": row["error"],
            "elsewhere": row["rest_error"],
            "q": row["q"],
            "state": row["state"],
            "evidence": write_evidence(row),
        }
        for row in findings.iter_rows(named=True)
    ]


def list_gaps(gaps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each gap, those that hold up first as `read_gaps` orders them."""
    return [
        {
            "system": gap["system"],
            "labels": gap["labels"],
            "group": write_predicates(gap["predicates"]),
            "n": gap["n"],
            "error": gap["value"],
            "gap": gap["difference"],
            "state": gap["state"],
        }
        for gap in gaps[:_SHOWN]
    ]
