"""findings.json: what a report says, for programs."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.tables import CORRECTIONS, REPORTED, VERDICTS, Schema
from reports.models import ReportData, SystemReport
from reports.parts.words import write_predicates
from reports.report_check import check_report_data

VERSION = 1  # of the layout: a key that goes or changes its meaning raises it, a new key does not


def write_findings(data: ReportData) -> str:
    """Return findings.json of a report; `describe_findings` is its schema.

    Numbers that do not exist are null. Raises TableError if a frame lacks a column.
    """
    check_report_data(data)
    content = {
        "version": VERSION,
        "audit": data.name,
        "run_id": data.run_id,
        "started_at": data.started_at,
        "finished_at": data.finished_at,
        "samples": data.samples,
        "sample_kind": data.sample_kind,
        "limit": data.limit,
        "encoder_id": data.encoder_id,
        "attributes": [
            {"name": one.name, "source": one.source, "sensitive": one.sensitive}
            for one in data.attributes
        ],
        "systems": [_describe_system(system) for system in data.systems],
        "gates": [*_list_group_gates(data), *_list_error_gates(data.systems)],
        "notes": list(data.notes),
        "versions": dict(data.versions),
    }
    return json.dumps(_drop_nonfinite(content), indent=1, allow_nan=False)


def describe_findings() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of findings.json."""
    text, number, whole = ({"type": kind} for kind in ("string", "number", "integer"))
    keys = {
        "version": {"const": VERSION},
        "audit": text,
        "run_id": text,
        "started_at": {"type": "string", "format": "date-time"},
        "finished_at": {"type": "string", "format": "date-time"},
        "samples": whole,
        "sample_kind": {"enum": ["image", "object", "detection"]},
        "limit": _or_null(whole),
        "encoder_id": _or_null(text),
        "attributes": _list(
            _object({"name": text, "source": text, "sensitive": {"type": "boolean"}})
        ),
        "systems": _list(
            _object(
                {
                    "name": text,
                    "metric": text,
                    "n": whole,
                    "mean_error": _or_null(number),
                    "slices_counted": whole,
                    "detectable_gap": _or_null(number),
                    "findings": _list(_object(_SLICE | _describe_columns(REPORTED))),
                    "worth_checking": _list(_object(_SLICE | _describe_columns(CORRECTIONS))),
                    "warnings": _list(text),
                }
            )
        ),
        "gates": _list(
            _object(
                {"system": text, "labels": _or_null(text), "limit": number}
                | _SLICE
                | _describe_columns(VERDICTS)
            )
        ),
        "notes": _list(text),
        "versions": {"type": "object", "additionalProperties": text},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "findings.json of a weakspot report",
        **_object(keys),
    }


_SLICE = {"slice": {"type": "string"}}  # the predicates in words


def _describe_system(system: SystemReport) -> dict[str, Any]:
    return {
        "name": system.name,
        "metric": system.metric,
        "n": system.n,
        "mean_error": system.overall_error,
        "slices_counted": system.slices_counted,
        "detectable_gap": system.detectable_gap,
        "findings": _list_rows(system.findings),
        "worth_checking": _list_rows(system.worth_checking),
        "warnings": list(system.warnings),
    }


def _list_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table of slices, each with its predicates in words."""
    return [{"slice": write_predicates(row["predicates"]), **row} for row in frame.to_dicts()]


def _list_group_gates(data: ReportData) -> list[dict[str, Any]]:
    """Return the verdict on each group."""
    return [
        {"system": one.system, "labels": one.labels, "limit": one.gates["max_gap"], **row}
        for one in data.fairness
        if one.verdicts is not None and one.gates is not None and "max_gap" in one.gates
        for row in _list_rows(one.verdicts)
    ]


def _list_error_gates(systems: Sequence[SystemReport]) -> list[dict[str, Any]]:
    """Return the verdict on the mean error of each system, as one of the group of all samples."""
    return [
        {
            **dict.fromkeys(VERDICTS),
            "system": system.name,
            "labels": None,
            "limit": system.gate.max_error,
            "slice": write_predicates([]),
            "predicates": [],
            "n": system.n,
            "difference": None
            if system.gate.error is None
            else system.gate.error - system.gate.max_error,
            "verdict": system.gate.verdict,
            "corrected": False,
        }
        for system in systems
        if system.gate is not None
    ]


def _drop_nonfinite(value: object) -> object:
    """Return the same with null in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _drop_nonfinite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_drop_nonfinite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an object that has at least these keys."""
    return {"type": "object", "properties": dict(properties), "required": sorted(properties)}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _or_null(kind: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": [kind["type"], "null"]}


def _describe_columns(schema: Schema) -> dict[str, Any]:
    """Describe each column of a table; any number or text may be null."""
    return {name: _describe_type(dtype) for name, dtype in schema.items()}


def _describe_type(dtype: object) -> dict[str, Any]:
    if isinstance(dtype, pl.List):
        return {"type": ["array", "null"], "items": _describe_type(dtype.inner)}
    if isinstance(dtype, pl.Struct):
        return _object({one.name: _describe_type(one.dtype) for one in dtype.fields})
    kinds = ((pl.String, "string"), (pl.Boolean, "boolean"), (pl.Int64, "integer"))
    kind = next((name for own, name in kinds if isinstance(dtype, own)), "number")
    return {"type": [kind, "null"]}
