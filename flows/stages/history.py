"""Reports of earlier runs: a folder a run beside the newest report, and a page of all."""

from pathlib import Path
from urllib.parse import quote

from pipeline.config.audit import ReportConfig


def locate_page(report: ReportConfig, page: Path) -> str:
    """Return the address of a page in the folder of the report: at `base_url`, else file://."""
    if report.base_url is None:
        return page.as_uri()
    place = page.relative_to(report.folder).as_posix()
    return f"{report.base_url.rstrip('/')}/{quote(place)}"
