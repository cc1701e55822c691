"""The gallery of a finding: its worst samples."""

from pathlib import Path

import polars as pl

from flows.stages.reporting.pictures.report_gallery import pick_worst
from pipeline.tables import CLASS_MATCHES, SAMPLES
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


def test_samples_of_a_classifier_have_their_classes(tmp_path: Path) -> None:
    table = SearchTable(
        attributes=pl.DataFrame({"hat": ["yes", "yes"]}),
        errors=pl.Series([1.0, 0.0]),
        cluster_ids=pl.Series(["a", "b"]),
        sample_ids=pl.Series(["a", "b"]),
        samples_without_labels=0,
    )
    samples = pl.DataFrame(
        {"sample_id": ["a", "b"], "path": ["a.jpg", "b.jpg"]}, schema_overrides=dict(SAMPLES)
    ).with_columns(pl.lit(None, dtype=pl.Float64).alias(side) for side in "xywh")
    matches = pl.DataFrame(
        [("a", "deer", "horse", 0.9), ("b", "deer", "deer", None)],
        schema=dict(CLASS_MATCHES),
        orient="row",
    )
    findings = pl.DataFrame({"rank": [1], "predicates": [[{"attribute": "hat", "value": "yes"}]]})
    shown = pick_worst(findings, table, samples, tmp_path, matches=matches)[1]
    assert [(one.true, one.predicted, one.probability) for one in shown] == [
        ("deer", "horse", 0.9),
        ("deer", "deer", None),
    ]
    detector = pl.DataFrame({"sample_id": ["a"], "status": ["found"], "score": [0.5]})
    for other in (None, detector):
        plain = pick_worst(findings, table, samples, tmp_path, matches=other)[1]
        assert [one.true for one in plain] == [None, None]
