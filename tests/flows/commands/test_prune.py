"""`weakspot prune`: what is listed is what goes, and nothing that the next run needs."""

from pathlib import Path

import pytest

from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.store import find_store
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit
from tests.tiny_clip import write_tiny

pytestmark = pytest.mark.slow  # whole audits


def age(audit: SmallAudit) -> list[str]:
    """Run an audit four times: as it is, with new prompts, new predictions and a new encoder."""
    runs = [run_directly(audit.config).run_id]
    tone = audit.folder / "mine" / "tone.toml"
    tone.write_text(tone.read_text().replace("a dim scene", "a scene at dusk"))
    runs.append(run_directly(audit.config).run_id)
    errors = audit.folder / "errors.csv"
    errors.write_text(errors.read_text().replace("0001.png,1", "0001.png,0"))
    runs.append(run_directly(audit.config).run_id)
    write_tiny(audit.folder / "tiny", seed=1)
    runs.append(run_directly(audit.config).run_id)
    return runs


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_prune_lists_then_removes_what_nothing_current_names(small_audit: SmallAudit) -> None:
    runs = age(small_audit)
    workspace = small_audit.folder / "workspace"
    store = find_store(workspace)
    files = list_files(workspace)
    dry = call("prune", workspace, "--keep-runs", 2)
    assert dry.code == 0, dry.err
    assert "runs with what they found: 2, " in dry.out
    # tone as first written, as edited, and by the first encoder; errors once; one encoder
    assert "labels of old definitions of attributes: 2, 320 rows (kept: 3 current" in dry.out
    assert "errors of replaced predictions: 1, 160 rows" in dry.out
    assert "vectors of unused encoders: 1, " in dry.out
    assert "nothing is removed yet" in dry.out
    assert list_files(workspace) == files
    assert set(store.read("runs")["run_id"]) == set(runs)

    done = call("prune", workspace, "--keep-runs", 2, "--yes")
    assert done.code == 0, done.err
    assert done.out.splitlines()[:4] == dry.out.splitlines()[:4]
    assert set(store.read("runs")["run_id"]) == set(runs[2:])
    assert set(store.read("findings")["run_id"]) == set(runs[2:])
    assert set(store.read("slices")["run_id"]) == set(runs[2:])
    assert store.read("labels")["label_id"].n_unique() == 3
    assert store.read("errors").height == 160
    assert len(list(store.embeddings.iterdir())) == len(list(store.prompts.iterdir())) == 1
    assert call("prune", workspace, "--keep-runs", 2).out == "nothing to remove\n"

    again = run_directly(small_audit.config)
    made = ("images_embedded", "prompts_encoded", "samples_labelled")
    assert [again.counts[name] for name in made] == [0, 0, 0]


def test_the_run_that_searched_last_is_kept_however_old(small_audit: SmallAudit) -> None:
    searched = run_directly(small_audit.config).run_id
    for _ in range(2):
        run_directly(small_audit.config, ["score"])
    workspace = small_audit.folder / "workspace"
    assert call("prune", workspace, "--keep-runs", 1, "--yes").code == 0
    assert searched in set(find_store(workspace).read("runs")["run_id"])
    assert run_directly(small_audit.config, ["report"]).report is not None


def test_prune_refuses_what_is_no_workspace_or_in_use(
    small_audit: SmallAudit, tmp_path: Path
) -> None:
    answer = call("prune", tmp_path)
    assert answer.code == 1
    assert "not a workspace" in answer.err
    assert call("prune", tmp_path, "--keep-runs", 0).code == 2
    run_directly(small_audit.config, ["score"])
    workspace = small_audit.folder / "workspace"
    with lock_workspace(workspace):
        answer = call("prune", workspace)
    assert answer.code == 1
    assert "another run" in answer.err
