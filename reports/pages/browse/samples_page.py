"""A list of samples as a page: what is asked for, its evidence, and a gallery."""

from collections.abc import Mapping, Sequence

from reports.browse_models import FindingItem, SamplePage, SystemItem
from reports.pages.browse.addresses import address_samples
from reports.pages.browse.evidence_words import view_evidence, view_tile
from reports.pages.browse.findings_page import view_finding
from reports.pages.browse.frame import render_app_page
from reports.parts.numbers import format_count


def build_samples_page(
    page: SamplePage,
    *,
    name: str,
    asked: Mapping[str, str],
    systems: Sequence[SystemItem],
    sorts: Sequence[tuple[str, str]],
    finding: FindingItem | None = None,
    similar: str = "",
    problem: str = "",
    read_only: bool = False,
) -> str:
    """Return the page; everything of it is escaped.

    asked: the parts of its address. sorts: orders that are offered, with their words. finding: the
    one whose samples are shown. similar: what is searched for, where that is no text. problem: why
    a condition cannot be read.
    """
    system = page.system
    here = "/" if finding is not None else "/samples"
    following = {**asked, "after": page.next} if page.next else {}
    return render_app_page(
        "samples.html",
        name=name,
        title=_name(page, finding, similar),
        here=here,
        page=page,
        asked=asked,
        systems=systems,
        sorts=sorts,
        finding=None if finding is None or system is None else view_finding(finding, system),
        evidence=view_evidence(page.evidence, system),
        held_out=view_evidence(page.held_out, system),
        items=[view_tile(item, system) for item in page.items],
        total=format_count(page.total),
        of=format_count(page.samples),
        ids=address_samples(**{**asked, "after": "", "limit": ""}).replace(
            "/samples", "/api/v1/ids", 1
        ),
        first=address_samples(**{**asked, "after": ""}),
        following=address_samples(**following) if following else "",
        similar=similar,
        problem=problem,
        read_only=read_only,
        sample_query=f"?system={system.name}" if system and len(systems) > 1 else "",
    )


def _name(page: SamplePage, finding: FindingItem | None, similar: str) -> str:
    if finding is not None:
        return f"Finding {finding.rank}"
    if page.text:
        return f"Search: {page.text}"
    return similar or "Samples"
