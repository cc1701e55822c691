"""The report on disk: a folder for each run, an index beside them, or one file of everything."""

from pathlib import Path

from flows.run.health.failures import is_full
from flows.run.logs import LOG
from pipeline.config.report import ReportConfig
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.files.whole_folders import replace_folder, write_files
from reports.models import ReportData
from reports.pages.report_page import build_report
from reports.pages.site.site import Site
from reports.site_models import SiteData

RUNS = "runs"  # the folder, in that of the report, of one site a run
LIMITED = "limited"  # the folder, in that of the report, of reports of limited samples
HISTORY = "history.html"  # the page of all runs
SINGLE = "report.html"  # everything in one file
LARGE = 10 * 1024 * 1024  # bytes; mail often refuses more


def place_report(report: ReportConfig, limit: int | None) -> Path:
    """Return the folder of a report: that of limited samples has its own, and replaces no other."""
    return report.folder if limit is None else report.folder / LIMITED


def write_site(site: SiteData, folder: Path, *, history: str = "") -> Path:
    """Write the site of a run to runs/RUN_ID, whole, and its index to `folder`; return the index.

    history: the page of all runs beside the index, "" for none. The index is written last: it never
    leads to pages that are not there. Raises ConfigError when the folder cannot be written.
    """
    pages = Site(site)
    name = f"{RUNS}/{site.report.run_id}"
    index = folder / "index.html"
    try:
        with replace_folder(folder / name) as partial:
            size = write_files(pages.build(), partial)
        write_text(pages.build_index(folder=f"{name}/", history=history), index)
    except OSError as error:
        raise _explain(error, folder) from None
    LOG.info("report: %s (%.1f MB)", index, size / 1e6)
    return index


def write_single(data: ReportData, folder: Path, *, language: str = "en") -> Path:
    """Write the report as one file, and warn of one too large to send; raises as `write_site`."""
    page = folder / SINGLE
    text = build_report(data, language=language)
    try:
        write_text(text, page)
    except OSError as error:
        raise _explain(error, folder) from None
    size = page.stat().st_size
    if size > LARGE:
        LOG.warning("%s has %.1f MB: many mail servers refuse more than 10 MB", page, size / 1e6)
    LOG.info("report: %s", page)
    return page


def _explain(error: OSError, folder: Path) -> Exception:
    """Return what to raise: a full disk is said elsewhere."""
    if is_full(error):
        return error
    return ConfigError(f"[report] folder {folder}: cannot be written: {error}")
