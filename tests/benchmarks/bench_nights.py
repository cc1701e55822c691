"""What a night costs where nothing changed, and where 1 % of the images are new.

`python -m tests.benchmarks.bench_nights [COUNT [FOLDER]]`: 100,000 tiny images without it. Their
vectors and measures are in the workspace, as earlier nights would have left them; a real, tiny
open_clip model embeds what is new. Every night is the command `weakspot run`, in a process of its
own and with Prefect's temporary server. CPU seconds are those of the command without the server.
Then every stage alone, for its memory. A dataset in FOLDER is used again.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.run.stages import STAGES
from tests.benchmarks.night_world import NightWorld, make_world, write_images, write_tables

ROOT = Path(__file__).parents[2]
COUNT = 100_000
# Of a night with nothing new on two cores that nothing else uses: wall seconds, GB.
ASKED = {100_000: (20.0, 2.0), 1_000_000: (60.0, 2.0)}


@dataclass(frozen=True)
class Night:
    """One run of the command: seconds of wall clock and CPU, peak of memory, what it printed."""

    wall: float
    cpu: float
    peak: float  # GB
    summary: dict[str, Any]


def main() -> int:
    """Print one row a night."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with ExitStack() as stack:
        if len(sys.argv) > 2:
            folder = Path(sys.argv[2])
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        begin = time.perf_counter()
        there = (folder / "world").exists()
        world = NightWorld(folder / "world") if there else make_world(folder / "world", count=count)
        print(f"{count:,} samples, made in {time.perf_counter() - begin:.0f} s", flush=True)
        print(f"{'night':<24}{'wall s':>8}{'CPU s':>8}{'GB':>6}  seconds of stages")
        if not there:
            show("first", run_night(world))
        run_night(world)  # after the first night, or another version
        quiet = run_night(world)
        show("nothing new", quiet)
        judge(quiet, count=count)
        add_images(world, count=count // 100)
        show("1 % new", run_night(world))
        show("nothing new", run_night(world))
        for stage in STAGES:
            show(f"{stage} alone", run_night(world, stage, "--no-prefect"))
    return 0


def judge(night: Night, *, count: int) -> None:
    """Print how a night with nothing new is beside what is asked, and what else was running."""
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    if count in ASKED:
        seconds, memory = ASKED[count]
        print(
            f"  asked: {seconds:.0f} s and {memory:.0f} GB; {night.wall / seconds:.2f} and "
            f"{night.peak / memory:.2f} of them",
            flush=True,
        )
    print(f"  load of 1, 5 and 15 minutes: {load} on {os.cpu_count()} cores", flush=True)


def run_night(world: NightWorld, command: str = "run", *options: str) -> Night:
    """Run a command of the audit and wait for it."""
    environment = {**os.environ, "PREFECT_HOME": str(world.folder / "prefect")}
    for name in ("PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    begin = time.perf_counter()
    words = [sys.executable, "-m", "flows.commands.app", command, str(world.config), "--json"]
    with (world.folder / "night.log").open("ab") as log:
        process = subprocess.Popen(
            [*words, *options], stdout=subprocess.PIPE, stderr=log, env=environment, cwd=ROOT
        )
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit((world.folder / "night.log").read_text()[-3000:])
    peak = usage.ru_maxrss / 1e6  # kB on Linux
    return Night(wall, usage.ru_utime + usage.ru_stime, peak, json.loads(printed))


def show(name: str, night: Night) -> None:
    """Print one row."""
    seconds = " ".join(f"{stage} {spent:.1f}" for stage, spent in night.summary["seconds"].items())
    kept = ", ".join(night.summary["kept"])
    print(
        f"{name:<24}{night.wall:>8.1f}{night.cpu:>8.1f}{night.peak:>6.2f}  {seconds}"
        + (f"; kept: {kept}" if kept else ""),
        flush=True,
    )


def add_images(world: NightWorld, *, count: int) -> None:
    """Write further images, and the tables of all."""
    known = pl.read_parquet(world.folder / "columns.parquet")["path"].to_list()
    new, _ = write_images(world.folder / "images", range(len(known), len(known) + count))
    write_tables(world, [*known, *new])


if __name__ == "__main__":
    sys.exit(main())
