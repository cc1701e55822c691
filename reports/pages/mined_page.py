"""The page of what was mined: expected hits by finding, and the pictures to label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.parts.gallery import Picture, show_sample
from reports.parts.templates import render_page


@dataclass(frozen=True)
class MinedSample:
    """A mined sample: its thumbnail, empty where the image is gone, and words on it."""

    path: str
    thumbnail: bytes
    outcome: str


@dataclass(frozen=True)
class MinedGroup:
    """A finding and the samples mined for it, or the first of them."""

    title: str
    note: str
    samples: Sequence[MinedSample]


@dataclass(frozen=True)
class MinedPage:
    """facts: sentences on what was mined. rates: rows of texts by the heads of their columns."""

    dataset: str
    system: str
    facts: Sequence[str]
    rates: Sequence[Mapping[str, str]]
    groups: Sequence[MinedGroup]


@dataclass(frozen=True)
class _DrawnGroup:
    title: str
    note: str
    pictures: Sequence[Picture]


def build_mined_page(page: MinedPage) -> str:
    """Return one self-contained HTML page without scripts; everything of it is escaped."""
    return render_page(
        "mined.html",
        title=f"To label first: {page.dataset}",
        page=page,
        heads=list(page.rates[0]) if page.rates else [],
        groups=[
            _DrawnGroup(
                group.title,
                group.note,
                [show_sample(one.path, one.thumbnail, one.outcome) for one in group.samples],
            )
            for group in page.groups
        ],
    )
