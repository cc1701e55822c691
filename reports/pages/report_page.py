"""The report as one page: views of one audit put into the templates."""

from reports.models import ReportData
from reports.pages.report_content import collect_content, name_page
from reports.pages.sections import list_shown
from reports.parts.catalogue import Words
from reports.parts.templates import render_page
from reports.report_check import check_report_data


def build_report(data: ReportData, *, language: str = "en") -> str:
    """Return one self-contained HTML page.

    It refers to nothing outside itself, holds no script, and shows every text of `data` escaped.
    Raises TableError if a frame lacks a column.
    """
    check_report_data(data)
    words = Words(language)
    content = collect_content(data, words)
    return render_page(
        "page.html",
        title=name_page(data, words),
        language=language,
        sections=list_shown(content),
        on_one_page=True,
        false_galleries=(),
        link=link_within,
        **content,
    )


def link_within(anchor: str) -> str:
    """Return the address of what has the id `anchor` on the same page."""
    return f"#{anchor}"
