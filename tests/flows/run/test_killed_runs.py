"""A run that is killed and started again ends as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from flows.commands.exports.export import export_table
from tests.flows.small_audit import SmallAudit

SEED = 20261121
TABLES = ("samples", "rejects", "measurements", "embeddings", "labels", "errors")
RESULTS = ("findings", "slices")

pytestmark = [
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc to see processes"),
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.xdist_group("prefect"),
]


class Run:
    """The command in a process of its own; `own_server`: it starts Prefect's temporary server."""

    def __init__(self, audit: SmallAudit, *, own_server: bool) -> None:
        from prefect.settings import PREFECT_API_URL

        environment = {**os.environ, "PREFECT_HOME": str(audit.folder / "prefect")}
        environment.pop("PREFECT_API_URL", None)
        if not own_server:  # five starts of a server are a minute that shows nothing
            environment["PREFECT_API_URL"] = str(PREFECT_API_URL.value())
        self.log = audit.folder / "run.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.commands.app", "run", str(audit.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    def wait_for_samples(self) -> None:
        """Wait until the samples are read: the stages that write come next."""
        while " samples: " not in self.log.read_text() and self.process.poll() is None:
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self) -> None:
        assert self.process.wait() == 0, self.log.read_text()


def read_all(workspace: Path, folder: Path) -> dict[str, pl.DataFrame]:
    frames = {}
    for name in (*TABLES, *RESULTS):
        target = folder / f"{workspace.name}-{name}.parquet"
        export_table(workspace, name, target)
        frame = pl.read_parquet(target)
        if name in RESULTS:
            last = frame["run_id"].max()
            frame = frame.filter(pl.col("run_id") == last).drop("run_id")
        frames[name] = frame
    return frames


def servers_of(pids: set[int]) -> list[int]:
    """Return the processes that are temporary servers of the given runs."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"flows.run.prefect_server" in words and any(str(pid).encode() in words for pid in pids):
            found.append(int(entry.name))
    return found


@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_five_kills_leave_the_tables_of_an_undisturbed_run(small_audit: SmallAudit) -> None:
    small_audit.edit('model = "local-dir:tiny"', 'model = "local-dir:tiny"\nshard_size = 16')
    small_audit.edit('name = "small"', 'name = "small"\nworkspace = "calm"')
    calm = Run(small_audit, own_server=False)
    calm.wait_for_samples()
    begin = time.monotonic()
    calm.finish()
    lasted = time.monotonic() - begin

    small_audit.edit('workspace = "calm"', 'workspace = "killed"')
    moments = random.Random(SEED)  # noqa: S311 - moments, not secrets
    runs = []
    for number in range(5):
        run = Run(small_audit, own_server=number == 4)
        run.wait_for_samples()
        time.sleep(moments.uniform(0, lasted))
        run.kill()
        runs.append(run)
    runs.append(Run(small_audit, own_server=True))
    runs[-1].finish()
    pids = {run.process.pid for run in runs}

    expected = read_all(small_audit.folder / "calm", small_audit.folder)
    found = read_all(small_audit.folder / "killed", small_audit.folder)
    for name, frame in expected.items():
        assert frame.height > 0 or name == "rejects", name
        assert found[name].equals(frame), name
    deadline = time.monotonic() + 10  # a server ends within a second of its parent
    while servers_of(pids) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert servers_of(pids) == []
