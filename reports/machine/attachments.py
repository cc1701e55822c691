"""The files for programs that lie in the folder of a report."""

import io

import polars as pl

from pipeline.files.csv_cells import escape_formulas, flatten_nested
from pipeline.tables import REPORTED, empty
from reports.machine.findings_json import write_findings
from reports.machine.gates_junit import write_gates
from reports.models import ReportData
from reports.parts.words import write_predicates


def list_attachments(data: ReportData) -> dict[str, bytes]:
    """Return by name findings.json, findings.parquet, findings.csv and, with gates, gates.xml.

    The tables have the findings of all systems, one row each, with the system and, in the CSV,
    predicates in words and nested columns as JSON.
    """
    findings = pl.concat(
        [
            empty({"system": pl.String(), **REPORTED}),
            *(
                one.findings.select(pl.lit(one.name).alias("system"), pl.all())
                for one in data.systems
            ),
        ]
    )
    parquet = io.BytesIO()
    findings.write_parquet(parquet)
    files = {
        "findings.json": write_findings(data).encode(),
        "findings.parquet": parquet.getvalue(),
        "findings.csv": escape_formulas(_flatten(findings)).write_csv().encode(),
    }
    gates = write_gates(data)
    return files if gates is None else {**files, "gates.xml": gates.encode()}


def _flatten(findings: pl.DataFrame) -> pl.DataFrame:
    slices = [write_predicates(predicates) for predicates in findings["predicates"].to_list()]
    return flatten_nested(findings).with_columns(pl.Series("predicates", slices, pl.String))
