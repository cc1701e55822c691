"""The sections of a report after its findings: which template, and on which page of the site."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One section: all of them on the one page, in this order, each on a page of the site.

    template: of `reports/templates/`. page: of the site, without its ending; sections that share
    one follow each other there. title: of that page in the navigation, where the catalogue has no
    words `page.PAGE` for it. needs: the view, by its name in the content, without which there is
    nothing to show; "" for a section that is always there.
    """

    template: str
    page: str
    title: str
    needs: str = ""


SECTIONS = (
    Section("fairness.html", "fairness", "Fairness", needs="fairness"),
    Section("attributes.html", "attributes", "Attributes", needs="attributes"),
    Section("label_quality.html", "labels", "Labels", needs="quality"),
    Section("trust.html", "encoder", "Encoder", needs="trust"),
    Section("domain.html", "coverage", "Coverage", needs="domain"),
    Section("map_section.html", "map", "Map", needs="maps"),
    Section("left_out.html", "rejects", "Left out"),
    Section("made.html", "method", "Method"),
)


def list_shown(content: Mapping[str, object]) -> tuple[Section, ...]:
    """Return the sections that have something to show."""
    return tuple(one for one in SECTIONS if not one.needs or content[one.needs])
