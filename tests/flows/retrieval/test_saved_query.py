"""Search, save, run: the saved query is an attribute of the next report."""

import json
from pathlib import Path

import pytest

from pipeline.workspace.manifests import LabelManifest
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import write_audit

pytestmark = pytest.mark.slow  # whole audits


def test_the_next_run_searches_what_was_saved(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=80)
    run_directly(audit.config)
    workspace = tmp_path / "workspace"
    for arguments in (("a dark scene",), ("--image", "0000.png")):
        name = "by_words" if arguments[0] != "--image" else "by_picture"
        told = call("search", workspace, *arguments, "--save", name, "--json")
        assert told.code == 0, told.err
        assert json.loads(told.out)["searched"] == 80
    audit.edit('use = ["mine/tone.toml",', 'use = ["attributes/by_words.toml", "mine/tone.toml",')
    audit.edit("[attributes]\n", '[attributes]\ngiven = ["by_picture"]\n')
    audit.edit('images = "images"\n', 'images = "images"\ncolumns = "attributes/by_picture.csv"\n')
    summary = run_directly(audit.config)
    labelled = LabelManifest.read(workspace).by_name
    assert labelled["by_words"].source == "zero-shot"
    assert labelled["by_picture"].source == "given"
    assert summary.report is not None
    page = Path(summary.report).read_text(encoding="utf-8")
    assert "by_words" in page
    assert "by_picture" in page
    inside = call("search", workspace, "a dark scene", "--in", "by_picture = yes", "--json")
    assert 0 < json.loads(inside.out)["searched"] < 80
