"""Reports of earlier runs: a folder a run beside the newest report, and a page of all."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from flows.run.health.failures import is_full
from flows.run.logs import LOG
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.reporting.report_files import RUNS
from pipeline.config.report import ReportConfig
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.vocabulary import INSUFFICIENT, UNCLEAR
from pipeline.workspace.store import Store
from reports.pages.history_page import HistoryRun, SystemRun, build_history
from reports.pages.site.links import INDEX

PAGE = "history.html"
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")  # as `run_id` is made; it sorts by time


def keep_report(resolved: ResolvedAudit, store: Store, page: Path) -> list[Path]:
    """Drop the oldest reports, and list what is kept.

    page: the index that was just written, whose pages lie in a folder of its run. Of limited
    samples only the newest is kept, and none is listed; neither is a report in one file. The other
    reports stay as they are, so that this takes as long for the thousandth run as for the first.
    Returns the files of the report that it found or wrote. Raises ConfigError when the folder
    cannot be written.
    """
    report = resolved.audit.report
    last = find_last_search(store)
    if last is None or page.name != INDEX:
        return []
    own = [path for path in (page.parent / RUNS / last["run_id"]).rglob("*") if path.is_file()]
    is_full_report = page.parent == report.folder
    try:
        for old in list_kept(page.parent)[max(1, report.keep if is_full_report else 1) :]:
            shutil.rmtree(old)
        if not is_full_report:
            return own
        runs = list_history(store, report.folder, audit=resolved.audit.name)
        written = write_text(build_history(resolved.audit.name, runs), report.folder / PAGE)
    except OSError as error:
        if is_full(error):
            raise
        raise ConfigError(f"[report] folder {report.folder}: cannot be written: {error}") from None
    LOG.info("history: %s", report.folder / PAGE)
    return [*own, written]


def list_kept(folder: Path) -> list[Path]:
    """Return the folders of kept reports, the newest first; folders of other names are not ours."""
    own = [path for path in (folder / RUNS).glob("*") if _RUN_ID.fullmatch(path.name)]
    return sorted((path for path in own if path.is_dir()), reverse=True)


def list_history(store: Store, folder: Path, *, audit: str) -> list[HistoryRun]:
    """Return the full runs of an audit that searched, the newest first."""
    pages = {path.name: f"{RUNS}/{path.name}/index.html" for path in list_kept(folder)}
    runs = store.read("runs").filter(
        pl.col("search") != "", pl.col("name") == audit, pl.col("sample_limit").is_null()
    )
    holding = ~pl.col("state").is_in([INSUFFICIENT, UNCLEAR])
    findings = store.read("findings").filter(holding)
    counted = {
        (run_id, system): n
        for run_id, system, n in findings.group_by("run_id", "system").len().iter_rows()
    }
    return [
        HistoryRun(
            run_id=run["run_id"],
            started_at=run["started_at"],
            href=pages.get(run["run_id"]),
            systems=tuple(_list_systems(run, counted)),
        )
        for run in runs.sort("started_at", "run_id", descending=True).iter_rows(named=True)
    ]


def _list_systems(run: dict[str, Any], counted: dict[tuple[str, str], int]) -> list[SystemRun]:
    return [
        SystemRun(
            name=name,
            samples=searched["n"],
            error=searched["error"],
            findings=counted.get((run["run_id"], name), 0),
        )
        for name, searched in json.loads(run["search"])["systems"].items()
    ]


def locate_page(report: ReportConfig, page: Path) -> str:
    """Return the address of a page in the folder of the report: at `base_url`, else file://."""
    if report.base_url is None:
        return page.as_uri()
    place = page.relative_to(report.folder).as_posix()
    return f"{report.base_url.rstrip('/')}/{quote(place)}"
