"""Reports of earlier runs: a folder a run beside the newest report, and a page of all."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from flows.run.health.failures import is_full
from flows.run.logs import LOG
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.reporting.report_files import HISTORY, RUNS
from pipeline.comparison.trends import SearchedRun, follow_slices
from pipeline.config.report import ReportConfig
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.vocabulary import INSUFFICIENT, UNCLEAR
from pipeline.workspace.kept.kept_runs import (
    count_searches,
    read_family_errors,
    read_last_searches,
    read_run_findings,
)
from pipeline.workspace.store import Store
from reports.pages.history_page import HistoryRun, SystemRun, SystemTrends, build_history
from reports.pages.site.links import INDEX

SHOWN_RUNS = 100  # in the list; the table of runs has all
TREND_RUNS = 30  # over which findings are followed
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")  # as `run_id` is made; it sorts by time


@dataclass(frozen=True)
class History:
    """The newest runs, the trends of each system, and how many runs there are in all."""

    runs: tuple[HistoryRun, ...]
    trends: Mapping[str, SystemTrends]
    total: int


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
        history = read_history(store, report.folder, audit=resolved.audit.name, keep=report.keep)
        text = build_history(
            resolved.audit.name,
            history.runs,
            trends=history.trends,
            total=history.total,
            language=report.language,
        )
        written = write_text(text, report.folder / HISTORY)
    except OSError as error:
        if is_full(error):
            raise
        raise ConfigError(f"[report] folder {report.folder}: cannot be written: {error}") from None
    LOG.info("history: %s", report.folder / HISTORY)
    return [*own, written]


def list_kept(folder: Path) -> list[Path]:
    """Return the folders of kept reports, the newest first; folders of other names are not ours."""
    own = [path for path in (folder / RUNS).glob("*") if _RUN_ID.fullmatch(path.name)]
    return sorted((path for path in own if path.is_dir()), reverse=True)


def read_history(store: Store, folder: Path, *, audit: str, keep: int = 0) -> History:
    """Return the newest full runs of an audit that searched, and the trends of their findings.

    keep: how many reports are kept, all of which are listed. What is read does not grow with the
    number of runs.
    """
    newest = read_last_searches(store, name=audit, most=max(SHOWN_RUNS, keep))
    pages = {path.name: f"{RUNS}/{path.name}/index.html" for path in list_kept(folder)}
    findings = read_run_findings(store, newest["run_id"].to_list())
    holding = findings.filter(~pl.col("state").is_in([INSUFFICIENT, UNCLEAR]))
    counted = {
        (run_id, system): n
        for run_id, system, n in holding.group_by("run_id", "system").len().iter_rows()
    }
    runs = tuple(
        HistoryRun(
            run_id=run["run_id"],
            started_at=run["started_at"],
            href=pages.get(run["run_id"]),
            systems=tuple(_list_systems(run, counted)),
        )
        for run in newest.iter_rows(named=True)
    )
    return History(runs, _follow(runs, findings, store), count_searches(store, name=audit))


def _follow(
    runs: Sequence[HistoryRun], findings: pl.DataFrame, store: Store
) -> dict[str, SystemTrends]:
    """Return the trends of each system over the last runs that audited it."""
    own = [*reversed(runs[:TREND_RUNS])]
    ids = [run.run_id for run in own]
    followed = findings.filter(pl.col("run_id").is_in(ids))
    families = {one: read_family_errors(store, one, followed["predicates"]) for one in ids}
    trends = {}
    for name in dict.fromkeys(system.name for run in runs for system in run.systems):
        audited = [run for run in own if any(one.name == name for one in run.systems)]
        if not audited:
            continue
        of_system = followed.filter(pl.col("system") == name)
        searched = [
            SearchedRun(
                of_system.filter(pl.col("run_id") == run.run_id),
                families[run.run_id].filter(pl.col("system") == name),
            )
            for run in audited
        ]
        times = tuple(run.started_at for run in audited)
        trends[name] = SystemTrends(times, tuple(follow_slices(searched)))
    return trends


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
