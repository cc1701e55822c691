"""Kills in every stage, embed and report among them: the tables are those of a calm run."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.flows.run.test_killed_runs import read_all
from tests.flows.small_audit import SmallAudit

SEED = 20261127
GATES = '[fairness]\nattributes = ["brightness"]\n[gates]\nmax_gap = 2.0\n[slices]'
AFTER = {  # a line of the log that begins the stage, and how often it is killed
    "label": ("embedded: ", 3),
    "score": ("labels: ", 2),
    "find": ("errors; ", 4),
    "fairness": ("find: nothing changed", 2),
    "report": ("gates: ", 4),
}
EMBED_KILLS = 5

pytestmark = [
    pytest.mark.slow,
    pytest.mark.endurance,
    pytest.mark.timeout(1800),  # where the machine is busy
]


class Run:
    """The command without Prefect in a process of its own."""

    def __init__(self, audit: SmallAudit) -> None:
        self.log = audit.folder / "run.log"
        command = [sys.executable, "-m", "flows.commands.app", "run", str(audit.config)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--no-prefect"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ),
            )  # fmt: skip

    def kill_when(self, ready: Callable[[], bool], *, later: float = 0.0) -> bool:
        """Kill the run when it is ready, or so many seconds later; return if it still ran."""
        while not ready() and self.process.poll() is None:
            time.sleep(0.005)
        time.sleep(later)
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait() == -signal.SIGKILL

    def has_line(self, text: str) -> bool:
        return text in self.log.read_text()

    def finish(self) -> str:
        assert self.process.wait() == 0, self.log.read_text()
        return self.log.read_text()


def count_shards(workspace: Path) -> int:
    return len(list(workspace.glob("embeddings/*/*.parquet")))


def has_shards(workspace: Path, least: int) -> bool:
    return count_shards(workspace) >= least


def test_twenty_kills_leave_the_tables_of_an_undisturbed_run(small_audit: SmallAudit) -> None:
    small_audit.edit('model = "local-dir:tiny"', 'model = "local-dir:tiny"\nshard_size = 4')
    small_audit.edit("[slices]", GATES)
    small_audit.edit('name = "small"', 'name = "small"\nworkspace = "calm"')
    Run(small_audit).finish()
    shards = count_shards(small_audit.folder / "calm")
    assert shards == 40

    small_audit.edit('workspace = "calm"', 'workspace = "killed"')
    killed = small_audit.folder / "killed"
    delays = random.Random(SEED)  # noqa: S311 - moments, not secrets
    hits: dict[str, int] = {"embed": 0}
    for number in range(1, EMBED_KILLS + 1):
        target = number * shards // (EMBED_KILLS + 1)
        run = Run(small_audit)
        run.kill_when(partial(has_shards, killed, target))
        hits["embed"] += not run.has_line("embedded: ")
        assert count_shards(killed) < shards
    for stage, (line, times) in AFTER.items():
        hits[stage] = 0
        for _ in range(times):
            run = Run(small_audit)
            if stage in {"fairness", "report"} and not (killed / "finished" / "find.json").exists():
                run.kill_when((killed / "finished" / "find.json").exists)
                run = Run(small_audit)
            later = delays.uniform(0.0, 0.1)
            hits[stage] += run.kill_when(partial(run.has_line, line), later=later)
    assert sum(hits.values()) >= 18, hits  # a fast machine may end before the last moment
    assert hits["embed"] == EMBED_KILLS
    assert hits["report"] > 0
    log = Run(small_audit).finish()
    assert "report: " in log

    expected = read_all(small_audit.folder / "calm", small_audit.folder)
    found = read_all(killed, small_audit.folder)
    for name, frame in expected.items():
        assert frame.height > 0 or name == "rejects", name
        assert found[name].equals(frame), name
    assert not list(killed.rglob("*.partial"))
