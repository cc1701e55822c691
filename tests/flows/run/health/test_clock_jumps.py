"""A clock that is set back, or ran ahead once, does not make an old run the newest."""

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest

from flows.run.record import find_last_search
from pipeline.workspace.store import Store, find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits


@pytest.fixture
def measured(small_audit: SmallAudit) -> SmallAudit:
    small_audit.edit(
        'use = ["mine/tone.toml", "image/brightness", "image/contrast"]',
        'use = ["image/brightness"]',
    )
    small_audit.edit('[encoder]\nmodel = "local-dir:tiny"\n', "")
    return small_audit


def move_runs(store: Store, *, days: int) -> None:
    """Let all runs have started so many days later than they did."""
    runs = store.read("runs")
    with store.connect(read_only=False) as connection:
        for run_id, started in runs.select("run_id", "started_at").iter_rows():
            moved = dt.datetime.fromisoformat(started) + dt.timedelta(days=days)
            connection.execute(
                "UPDATE runs SET started_at = ? WHERE run_id = ?", [moved.isoformat(), run_id]
            )


def test_after_a_clock_that_ran_ahead_the_new_run_is_the_last(measured: SmallAudit) -> None:
    first = run_directly(measured.config)
    store = find_store(measured.folder / "workspace")
    move_runs(store, days=400)
    (measured.images / "0003.png").unlink()
    second = run_directly(measured.config)
    assert second.kept == {}
    last = find_last_search(store)
    assert last is not None
    assert last["run_id"] == second.run_id
    assert second.run_id > first.run_id  # names of kept reports sort by time, too
    assert second.run_id in Path(second.report or "").read_text()
    third = run_directly(measured.config)
    assert third.kept["find"] == second.run_id
    assert store.read("runs")["started_at"].n_unique() == 3


@pytest.mark.parametrize("days", [-4000, 4000])
def test_files_from_another_time_are_known_again_and_noticed_when_they_change(
    measured: SmallAudit, days: int
) -> None:
    moment = dt.datetime.now(dt.UTC).timestamp() + days * 86_400
    for path in measured.images.iterdir():
        os.utime(path, (moment, moment))
    run_directly(measured.config)
    again = run_directly(measured.config)
    assert set(again.kept) == {"find", "report"}
    store = find_store(measured.folder / "workspace")
    before = store.read_samples()
    target = measured.images / "0000.png"
    target.write_bytes((measured.images / "0003.png").read_bytes())
    os.utime(target, (moment, moment))
    run_directly(measured.config)
    changed = store.read_samples().join(before, on=["sample_id", "content_key"], how="anti")
    assert changed["path"].to_list() == ["0000.png"]
    assert changed.select(pl.len()).item() == 1
