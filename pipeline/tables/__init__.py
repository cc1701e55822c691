"""The schema of every table, and the check that a frame keeps it."""

from collections.abc import Mapping

import polars as pl

from pipeline.exceptions import TableError
from pipeline.tables.group_tables import COLLECTION, COMBINATIONS, DISPARITIES, GAPS, VERDICTS
from pipeline.tables.label_tables import (
    CHECKS,
    CLASS_MATCHES,
    COVERAGE,
    DETECTION_MATCHES,
    ERRORS,
    LABELS,
    VALUE_ERRORS,
)
from pipeline.tables.map_tables import MAP_REGIONS, POSITIONS
from pipeline.tables.quality_tables import (
    IN_USE,
    LABEL_CALIBRATION,
    LABEL_CONFUSION,
    LABEL_QUALITY,
    LABEL_RELIABILITY,
    LABEL_THRESHOLDS,
    LEARNING_CURVE,
    QUALITY_TABLES,
)
from pipeline.tables.region_tables import REGION_MEMBERS, REGION_VALUES, REGION_WORDS, REGIONS
from pipeline.tables.sample_tables import (
    BOX,
    BROKEN,
    DETECTIONS,
    MEASUREMENTS,
    OBJECTS,
    REJECTS,
    SAMPLES,
    SOURCE_IMAGES,
    STAMP,
    STAMPS,
    TEXTS,
    WINDOWS,
)
from pipeline.tables.schema import PREDICATES, Schema
from pipeline.tables.slice_tables import (
    CORRECTED,
    CORRECTIONS,
    FAMILY,
    FINDINGS,
    REPORTED,
    RUN_KEYS,
    RUNS,
    SLICES,
    SWEEP,
    WEAKNESSES,
)
from pipeline.tables.trust_tables import FLIPS, PROBES, TRUST, TRUST_TABLES

__all__ = [
    "BOX",
    "BROKEN",
    "CHECKS",
    "CLASS_MATCHES",
    "COLLECTION",
    "COMBINATIONS",
    "CORRECTED",
    "CORRECTIONS",
    "COVERAGE",
    "DETECTIONS",
    "DETECTION_MATCHES",
    "DISPARITIES",
    "ERRORS",
    "FAMILY",
    "FINDINGS",
    "FLIPS",
    "GAPS",
    "IN_USE",
    "LABELS",
    "LABEL_CALIBRATION",
    "LABEL_CONFUSION",
    "LABEL_QUALITY",
    "LABEL_RELIABILITY",
    "LABEL_THRESHOLDS",
    "LEARNING_CURVE",
    "MAP_REGIONS",
    "MEASUREMENTS",
    "OBJECTS",
    "POSITIONS",
    "PREDICATES",
    "PROBES",
    "QUALITY_TABLES",
    "REGIONS",
    "REGION_MEMBERS",
    "REGION_VALUES",
    "REGION_WORDS",
    "REJECTS",
    "REPORTED",
    "RESULTS",
    "RUNS",
    "RUN_KEYS",
    "SAMPLES",
    "SLICES",
    "SOURCE_IMAGES",
    "STAMP",
    "STAMPS",
    "SWEEP",
    "TABLES",
    "TEXTS",
    "TRUST",
    "TRUST_TABLES",
    "VALUE_ERRORS",
    "VERDICTS",
    "WEAKNESSES",
    "WINDOWS",
    "Schema",
    "check",
    "empty",
]

TABLES: Mapping[str, Schema] = {
    "samples": SAMPLES,
    "rejects": REJECTS,
    "measurements": MEASUREMENTS,
    "labels": LABELS,
    "errors": ERRORS,
    "runs": RUNS,
    "slices": SLICES,
    "findings": FINDINGS,
}
# What a run made besides findings: with the keys of run, system and labels.
RESULTS: Mapping[str, Schema] = {
    "gaps": {**RUN_KEYS, "labels": pl.String(), **GAPS},
    "disparities": {**RUN_KEYS, "labels": pl.String(), **DISPARITIES},
    "verdicts": {**RUN_KEYS, "labels": pl.String(), **VERDICTS},
    "combinations": {"run_id": pl.String(), **COMBINATIONS},
    "pairs": {"run_id": pl.String(), **COMBINATIONS},  # for the heat maps, whatever the level
    "collection": {"run_id": pl.String(), **COLLECTION},
    "worth_checking": {**RUN_KEYS, **CORRECTIONS},  # no findings as labelled, but when corrected
    "held_out": {**RUN_KEYS, "sample_id": pl.String()},  # that the search for slices did not see
    "regions": {**RUN_KEYS, **REGIONS},
    "region_members": {**RUN_KEYS, **REGION_MEMBERS},
    # Since the search before: samples counted, and findings that hold up or do not any more.
    "changes": {
        "run_id": pl.String(),
        "since_run_id": pl.String(),
        "since": pl.String(),  # when that run started
        "kind": pl.String(),  # samples | finding
        "change": pl.String(),  # new | changed | gone
        "n": pl.Int64(),  # samples
        "system": pl.String(),
        "predicates": PREDICATES,
    },
    "sweeps": {**RUN_KEYS, "rank": pl.Int64(), **SWEEP},  # rank: of the finding
}


def check(frame: pl.DataFrame, schema: Schema, *, table: str) -> pl.DataFrame:
    """Return `frame` with the columns of `schema` in order, or say all that is wrong with it.

    Integer and float widths are cast where no value changes; null columns take the column's type.
    Raises TableError naming every missing, surplus or mistyped column of `table`.
    """
    problems = [f"column {name!r} is missing" for name in schema if name not in frame.columns]
    surplus = [name for name in frame.columns if name not in schema]
    problems += [f"column {name!r} is not of this table" for name in surplus]
    columns = []
    for name, dtype in schema.items():
        if name in frame.columns:
            try:
                columns.append(frame[name].cast(dtype, strict=True))
            except pl.exceptions.PolarsError:
                problems.append(f"column {name!r} is {frame[name].dtype}, expected {dtype}")
    if problems:
        raise TableError.from_problems(f"table {table!r}", problems)
    return pl.DataFrame(columns)


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame of `schema` without rows."""
    return pl.DataFrame(schema=dict(schema))
