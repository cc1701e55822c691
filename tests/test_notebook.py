"""The notebook of docs/ runs, cell by cell, and shows what its text says."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.slices import SliceResult

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)  # noqa: S102 - our own
    result, table = names["result"], names["table"]
    assert isinstance(result, SliceResult)
    assert isinstance(table, pl.DataFrame)
    assert result.to_polars()["slice"].to_list() == ["hat = yes and time = night"]
