"""How long a report of 1,000,000 samples and 2,000 findings takes, and how large it is.

`python -m tests.benchmarks.bench_report [SAMPLES [FINDINGS]]`. The bounds are 20 s, 1.5 GB at the
peak and an index below 1 MB. Then the page of runs, for 40 and for 2,000 runs of a workspace.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from flows.stages.reporting.history import read_history
from pipeline.tables import RUNS
from pipeline.workspace.store import Store
from tests.benchmarks.report_world import make_workspace
from tests.flows.direct import open_audit

SAMPLES, FINDINGS = 1_000_000, 2_000
SECONDS, GIGABYTES, MEGABYTES = 20.0, 1.5, 1.0
ROOT = Path(__file__).parents[2]
REPORT = """
import sys, time
from pathlib import Path
from flows.run.resolved_audit import resolve_audit
from flows.stages.report import write_report
from pipeline.workspace.store import open_store
resolved = resolve_audit(Path(sys.argv[1]))
write_report(resolved, open_store(resolved.audit.workspace))
"""


def main() -> int:
    """Print a row of the report and two of the history."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    findings = int(sys.argv[2]) if len(sys.argv) > 2 else FINDINGS
    with tempfile.TemporaryDirectory() as folder:
        config = make_workspace(Path(folder) / "world", samples=samples, findings=findings)
        report_once(config, samples, findings)
        follow_runs(Path(folder), findings)
    return 0


def report_once(config: Path, samples: int, findings: int) -> None:
    """Print seconds and the peak of memory of the stage in a process of its own, and sizes."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", REPORT, str(config)], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit("the report failed")
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6  # kB on Linux
    report = config.parent / "report"
    index = (report / "index.html").stat().st_size / 1e6
    files = [path for path in report.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(
        f"{samples:,} samples, {findings:,} findings: {wall:.1f} s ({wall / SECONDS:.2f} of the "
        f"bound; CPU {cpu:.1f} s), {peak:.2f} GB ({peak / GIGABYTES:.2f}), index {index:.3f} MB "
        f"({index / MEGABYTES:.2f}), {len(files):,} files of {size:.1f} MB",
        flush=True,
    )


def follow_runs(folder: Path, findings: int) -> None:
    """Print how long the page of runs takes, which lists 100 of them and follows 30 at the most."""
    seconds = {}
    for total in (40, 2_000):
        config = make_workspace(folder / f"{total} runs", samples=20_000, findings=findings)
        resolved, store = open_audit(config)
        name = resolved.audit.name
        (first,) = store.read("runs").rows(named=True)
        put_runs(store, first, total)
        taken = []
        for _ in range(5):
            begin = time.perf_counter()
            read_history(store, resolved.audit.report.folder, audit=name)
            taken.append(time.perf_counter() - begin)
        seconds[total] = min(taken)
    print(
        f"page of runs: {1000 * seconds[40]:.0f} ms of 40 runs, {1000 * seconds[2_000]:.0f} ms of "
        f"2,000 ({seconds[2_000] / seconds[40]:.1f} times)"
    )


def put_runs(store: Store, first: dict[str, object], total: int) -> None:
    """Fill the table of runs up to `total`, each with twenty findings and its family."""
    findings = store.read("findings").filter(pl.col("rank") <= 20)
    ids = [f"{20200101 + at:08}-000000-{at:06x}" for at in range(total)]
    frame = pl.DataFrame(
        [{**first, "run_id": one, "started_at": f"20{one[2:4]}-01-01T{at:06}"}
         for at, one in enumerate(ids)],
        schema=dict(RUNS),
    )  # fmt: skip
    store.put_run(frame)
    family = store.read_family(str(first["run_id"]))
    for one in ids[-40:]:
        own = family.with_columns(run_id=pl.lit(one))
        store.put_findings(findings.with_columns(run_id=pl.lit(one)), own, run_id=one)
    with store.connect(read_only=False) as connection:
        rest = pl.DataFrame({"other": ids[:-40]}).to_arrow()
        connection.register("others", rest)
        connection.execute(
            "INSERT INTO findings SELECT others.other AS run_id, findings.* EXCLUDE (run_id) "
            "FROM findings, others WHERE findings.run_id = ?",
            [ids[-1]],
        )


if __name__ == "__main__":
    sys.exit(main())
