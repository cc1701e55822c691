"""The report as a folder of pages that works from file://, with scripts on and off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.vocabulary import MODELLED
from reports.pages.report_content import collect_content, name_page
from reports.pages.sections import Section, list_shown
from reports.pages.site.links import (
    INDEX,
    Links,
    name_attribute,
    name_finding,
    name_system,
    place_anchors,
)
from reports.parts.catalogue import Words
from reports.parts.content_policy import Behavior
from reports.parts.templates import render_page
from reports.report_check import check_report_data
from reports.site_models import AttributeEvidence, FindingEvidence, SiteData
from reports.views.attributes import AttributeView
from reports.views.fairness import FairnessView
from reports.views.findings import FindingView, SystemView
from reports.views.site.attribute_page import view_attribute_page
from reports.views.site.finding_evidence import EvidenceView, view_evidence
from reports.views.site.overview import view_next_steps, view_overviews
from reports.views.site.shots import view_gallery

BEHAVIOR = Behavior(styles=("style.css", "site.css"), script="site.js", files=True)
IDS_HEADING = "sample_id"


@dataclass(frozen=True)
class PageLink:
    """One entry of the navigation."""

    title: str
    address: str
    here: bool


class Site:
    """The pages of one report; views are made once, pages one at a time.

    Raises TableError if a frame of the report lacks a column.
    """

    def __init__(self, site: SiteData) -> None:
        check_report_data(site.report)
        self.data = site
        self.words = Words(site.language)
        self.content = collect_content(site.report, self.words)
        self.sections = list_shown(self.content)
        self.systems: list[SystemView] = self.content["systems"]
        self.attributes: list[AttributeView] = self.content["attributes"]
        fairness: list[FairnessView] = self.content["fairness"]
        self.anchors = place_anchors(self.systems, self.attributes, fairness, self.sections)

    def build(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file of the folder: its path in it, with "/", and its bytes."""
        yield INDEX, self.build_index().encode()
        for index, system in enumerate(self.systems, 1):
            page = name_system(index)
            yield page, self._build_system(page, system).encode()
            yield from self._build_findings(index, system)
        for index, attribute in enumerate(self.attributes, 1):
            yield name_attribute(index), self._build_attribute(index, attribute).encode()
        for name in dict.fromkeys(section.page for section in self.sections):
            yield f"{name}.html", self._build_section(name).encode()
        for name, data in self.data.pictures.items():
            yield f"pictures/{name}", data
        yield from self.data.attachments.items()

    def build_index(self, *, folder: str = "", history: str = "") -> str:
        """Return the index; folder: where the site is, seen from the index, ending in "/".

        history: address of the page of all runs, "" where the index leads to none.
        """
        modelled = {one.name for one in self.data.report.attributes if one.source in MODELLED}
        return self._render(
            "site/index.html",
            INDEX,
            root=folder,
            history=history,
            overviews=view_overviews(self.data, self.systems, self.words, modelled=modelled),
            steps=view_next_steps(self.data, self.systems, self.words),
        )

    def _build_system(self, page: str, system: SystemView) -> str:
        false = self.data.false_detections.get(system.name, {})
        galleries = [
            replace(view_gallery(f"false.{kind}", shots, self.words), kind=kind)
            for kind, shots in false.items()
        ]
        return self._render("site/system.html", page, system=system, false_galleries=galleries)

    def _build_findings(self, index: int, system: SystemView) -> Iterator[tuple[str, bytes]]:
        """Yield the pages of a system's findings, and the files of their samples."""
        findings = [*system.findings, *system.insufficient]
        report = self.data.report.systems[index - 1]
        means = dict(report.findings.select("rank", "error").iter_rows())
        for at, finding in enumerate(findings):
            page = name_finding(index, finding.rank)
            known = self.data.findings.get((report.name, finding.rank), FindingEvidence())
            ids = page.replace(".html", ".csv")
            if len(known.sample_ids):
                yield ids, known.sample_ids.to_frame(IDS_HEADING).write_csv().encode()
            view = view_evidence(
                known,
                report,
                self.data.report,
                self.words,
                mean=means[finding.rank],
                ids=f"../{ids}",
            )
            text = self._render_finding(page, system, finding, view, findings, at)
            yield page, text.encode()

    def _render_finding(
        self,
        page: str,
        system: SystemView,
        finding: FindingView,
        view: EvidenceView,
        findings: Sequence[FindingView],
        at: int,
    ) -> str:
        link = Links(self.anchors, "../", page)
        around = [
            findings[place] if 0 <= place < len(findings) else None for place in (at - 1, at + 1)
        ]
        before, after = ("" if one is None else link(one.anchor) for one in around)
        return self._render(
            "site/finding.html",
            page,
            system=system,
            finding=finding,
            evidence=view,
            before=before,
            after=after,
            has_scenes=any(shot.anchor for one in view.galleries for shot in one.shots),
        )  # fmt: skip

    def _build_attribute(self, index: int, attribute: AttributeView) -> str:
        known = self.data.attributes.get(attribute.name, AttributeEvidence())
        view = view_attribute_page(
            attribute.name, known, self.data.report.label_quality, self.words
        )
        return self._render(
            "site/attribute.html",
            name_attribute(index),
            attributes=[attribute],
            quality=view.quality,
            view=view,
            has_scenes=any(shot.anchor for one in view.galleries for shot in one.shots),
        )

    def _build_section(self, name: str) -> str:
        return self._render(
            "site/section.html",
            f"{name}.html",
            sections=[one for one in self.sections if one.page == name],
            with_files=name == "method",
            attachments=list(self.data.attachments),
        )

    def _render(self, template: str, page: str, *, root: str | None = None, **values: Any) -> str:  # noqa: ANN401 - of a template
        """Render one page; root: how the folder of the site is reached, else from the page."""
        above = "../" * page.count("/") if root is None else root
        link = Links(self.anchors, above, page)
        content = {**self.content, "history": "", **values}
        return render_page(
            template,
            behavior=BEHAVIOR,
            title=name_page(self.data.report, self.words),
            language=self.data.language,
            t=self.words,
            link=link,
            root=above,
            home=f"{above}{INDEX}",
            pages=self._list_pages(page, above),
            on_one_page=False,
            thumbnails=self.data.thumbnails,
            **content,
        )

    def _list_pages(self, here: str, root: str) -> list[PageLink]:
        """Return the navigation: the index, the systems, and the pages of the sections."""
        entries = [(INDEX, self.words("page.index"))]
        entries += [
            (name_system(index), self.words("page.system", name=system.name))
            for index, system in enumerate(self.systems, 1)
        ]
        titles: dict[str, Section] = {}
        for section in self.sections:
            titles.setdefault(section.page, section)
        entries += [
            (f"{name}.html", self.words.find(f"page.{name}", section.title))
            for name, section in titles.items()
        ]
        return [PageLink(title, f"{root}{page}", page == here) for page, title in entries]
