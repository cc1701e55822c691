"""The gallery of a finding: its worst samples."""

from pathlib import Path

import polars as pl

from flows.stages.report_gallery import pick_worst
from pipeline.tables import SAMPLES
from pipeline.workspace.search_table import SearchTable


def test_an_attribute_may_be_called_error(tmp_path: Path) -> None:
    table = SearchTable(
        attributes=pl.DataFrame({"error": ["none", "some", "some"], "sample_id": ["x", "y", "y"]}),
        errors=pl.Series([9.0, 1.0, 2.0]),
        cluster_ids=pl.Series(["a", "b", "c"]),
        sample_ids=pl.Series(["a", "b", "c"]),
        samples_without_labels=0,
    )
    samples = pl.DataFrame(
        {"sample_id": ["a", "b", "c"], "path": ["a.jpg", "b.jpg", "c.jpg"]},
        schema_overrides=dict(SAMPLES),
    ).with_columns(pl.lit(None, dtype=pl.Float64).alias(side) for side in "xywh")
    names = [{"attribute": "error", "value": "some"}, {"attribute": "sample_id", "value": "y"}]
    findings = pl.DataFrame({"rank": [1], "predicates": [names]})
    shown = pick_worst(findings, table, samples, tmp_path)[1]
    assert [(one.caption, one.error, one.image) for one in shown] == [
        ("c.jpg", 2.0, b""),
        ("b.jpg", 1.0, b""),
    ]
