"""Exported CSV files run nothing in a spreadsheet; Parquet and JSON keep every text as it is."""

from pathlib import Path

import polars as pl

from flows.commands.exports.export import export_table
from pipeline.workspace.store import open_store


def test_a_text_that_would_run_as_a_formula_is_escaped_in_csv_alone(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    paths = ["=cmd|' /C calc'!A0.jpg", "plain.jpg"]
    rejects = {"path": paths, "stage": ["samples"] * 2, "reason": ["-1", "@broken"]}
    open_store(workspace).put_rejects(pl.DataFrame(rejects), stage="samples")
    for suffix in (".csv", ".parquet", ".json"):
        export_table(workspace, "rejects", tmp_path / f"rejects{suffix}", all_runs=True)
    written = pl.read_csv(tmp_path / "rejects.csv", infer_schema=False).sort("path")
    assert written["path"].to_list() == [f"'{paths[0]}", paths[1]]
    assert written["reason"].to_list() == ["-1", "'@broken"]
    for frame in (
        pl.read_parquet(tmp_path / "rejects.parquet"),
        pl.read_json(tmp_path / "rejects.json"),
    ):
        assert sorted(frame["path"].to_list()) == paths
