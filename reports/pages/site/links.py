"""Where things are on the site: the page of each id, and addresses between pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.pages.sections import Section
from reports.views.attributes import AttributeView
from reports.views.fairness import FairnessView
from reports.views.findings import SystemView

INDEX = "index.html"


@dataclass(frozen=True)
class Links:
    """Addresses as seen from one page. root: how the folder of the site is reached from it.

    pages: for an id the page that has it. here: the page itself.
    """

    pages: Mapping[str, str]
    root: str
    here: str

    def __call__(self, anchor: str) -> str:
        """Return the address of what has the id `anchor`."""
        page = self.pages.get(anchor, self.here)
        return f"#{anchor}" if page == self.here else f"{self.root}{page}#{anchor}"


def name_system(index: int) -> str:
    """Return the page of a system, counted from 1."""
    return f"systems/{index}.html"


def name_finding(index: int, rank: int) -> str:
    """Return the page of a finding of a system; no text of the data is in its name."""
    return f"findings/{index}-{rank}.html"


def name_attribute(index: int) -> str:
    """Return the page of an attribute, counted from 1."""
    return f"attributes/{index}.html"


def place_anchors(
    systems: Sequence[SystemView],
    attributes: Sequence[AttributeView],
    fairness: Sequence[FairnessView],
    sections: Sequence[Section],
) -> dict[str, str]:
    """Return for the ids that other pages refer to the page that has them."""
    pages = {"verdict": INDEX, "perceived": INDEX}
    for index, system in enumerate(systems, 1):
        pages[system.anchor] = pages[f"{system.anchor}-worth"] = name_system(index)
        for finding in (*system.findings, *system.insufficient):
            pages[finding.anchor] = name_finding(index, finding.rank)
    pages |= {one.anchor: name_attribute(index) for index, one in enumerate(attributes, 1)}
    pages |= {view.anchor: "fairness.html" for view in fairness}
    return pages | {section.page: f"{section.page}.html" for section in sections} | {
        "domain": "coverage.html"
    }  # fmt: skip
