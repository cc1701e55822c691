"""Snapshots of a workspace: what they hold, when they are taken, and that no run waits for one."""

import threading
import time
from pathlib import Path

import duckdb
import pytest

from flows.browsing.snapshots.kept_snapshots import open_snapshot, stamp_workspace
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.exceptions import StoreError
from pipeline.workspace.database_copy import copy_database
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store, open_store
from reports.parts.words import write_predicates
from tests.flows.api.browse_examples import copy_workspace
from tests.flows.direct import run_directly
from tests.flows.retrieval.planted_workspace import COUNT
from tests.flows.small_audit import SmallAudit


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return copy_workspace(tmp_path)


def test_a_snapshot_joins_labels_and_errors_to_the_samples(store: Store) -> None:
    snapshot = open_snapshot(store)
    assert snapshot.samples.height == COUNT
    assert snapshot.samples["sample_id"].is_sorted()
    night = snapshot.samples.filter(snapshot.samples["label.time"] == "night")
    assert night["sample_id"].to_list() == [f"s{n:03}" for n in range(0, COUNT, 3)]
    assert snapshot.samples["error.finder"].sum() == store.read("errors")["error"].sum()
    assert [one.name for one in snapshot.card.systems] == ["finder"]
    assert snapshot.find_row("s007") == 7
    assert snapshot.find_row("s0070") is None
    assert snapshot.find_row("") is None


def test_a_kept_snapshot_is_read_without_the_database(store: Store) -> None:
    first = open_snapshot(store)
    with duckdb.connect(str(store.database)):  # a run that writes
        again = open_snapshot(store)
    assert again.card == first.card
    assert again.samples.equals(first.samples)


def test_a_new_manifest_makes_a_new_snapshot_and_the_one_before_goes(store: Store) -> None:
    source = SnapshotSource(store)
    before = source.browser.snapshot
    assert not source.refresh()
    manifest = LabelManifest.read(store.folder)
    attribute = manifest.attributes[0].model_copy(update={"notes": ("new",)})
    manifest.model_copy(update={"attributes": (attribute,)}).write(store.folder)
    assert source.refresh()
    after = source.browser.snapshot
    assert after.snapshot_id == stamp_workspace(store) != before.snapshot_id
    assert after.card.attributes[0].notes == ("new",)
    assert [path.name for path in (store.folder / "serve").iterdir()] == [after.snapshot_id]


def test_read_only_keeps_no_file(store: Store) -> None:
    SnapshotSource(store, keep=False)
    assert not (store.folder / "serve").exists()
    assert not list(store.folder.glob(".copy-*"))


def test_a_damaged_snapshot_is_made_again(store: Store) -> None:
    first = open_snapshot(store)
    path = store.folder / "serve" / first.snapshot_id / "samples.parquet"
    path.write_bytes(path.read_bytes()[:100])
    assert open_snapshot(store).samples.equals(first.samples)


def test_a_run_opens_the_database_while_a_copy_is_read(store: Store) -> None:
    started = time.monotonic()
    with copy_database(store) as copy, duckdb.connect(str(store.database)) as writer:
        writer.execute("CREATE TABLE of_a_run (n INTEGER)")
        assert copy.read_samples().height == COUNT
    assert time.monotonic() - started < 5
    assert store.read_samples().height == COUNT


def test_a_copy_waits_for_a_moment_without_writing(store: Store) -> None:
    log = store.database.with_name("weakspot.duckdb.wal")
    log.touch()
    with (
        pytest.raises(StoreError, match="without a pause"),
        copy_database(store, patience=0.1),
    ):
        pass
    threading.Timer(0.3, log.unlink).start()
    with copy_database(store) as copy:
        assert copy.read_samples().height == COUNT


def test_a_workspace_without_samples_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="weakspot"):
        SnapshotSource(open_store(tmp_path / "workspace"))


def test_pages_go_on_with_the_last_snapshot_when_a_new_one_fails(store: Store) -> None:
    source = SnapshotSource(store)
    before = source.browser
    manifest = LabelManifest.locate(store.folder)
    manifest.write_text("{}", encoding="utf-8")
    assert not source.refresh()
    assert source.browser is before
    assert "label" in source.problem


@pytest.mark.slow
def test_the_half_that_the_search_held_out_is_scored_apart(finished_audit: SmallAudit) -> None:
    """The finding was chosen on the other half, so this one says how weak it truly is."""
    finished_audit.edit("max_level = 2", "max_level = 2\nconfirm = 0.5")
    run_directly(finished_audit.config)
    store = Store(finished_audit.folder / "workspace")
    browser = SnapshotSource(store).browser
    system = browser.snapshot.find_system(None)
    assert system is not None
    held = browser.select("held_out = yes", system)
    assert held.sum() == 80
    finding = browser.snapshot.findings.row(0, named=True)
    where = write_predicates(finding["predicates"])
    evidence = browser.weigh_held_out(where, browser.select(where, system), system)
    assert evidence is not None
    assert evidence.n == finding["holdout_n"]
    assert evidence.error == pytest.approx(finding["holdout_error"])
    assert evidence.rest_error == pytest.approx(finding["holdout_rest_error"])
