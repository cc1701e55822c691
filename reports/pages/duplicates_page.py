"""The page of near duplicates: each group with its pictures, those across splits first."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.parts.gallery import Picture, show_sample
from reports.parts.templates import render_page


@dataclass(frozen=True)
class DuplicateSample:
    """A sample of a group: its thumbnail, empty where the image is gone, and words on it."""

    path: str
    thumbnail: bytes
    outcome: str


@dataclass(frozen=True)
class DuplicateGroup:
    """A group and its samples, or the first of them."""

    title: str
    samples: Sequence[DuplicateSample]


@dataclass(frozen=True)
class DuplicatesPage:
    """facts: sentences on how many groups there are and which splits they lie in."""

    dataset: str
    threshold: str
    facts: Sequence[str]
    groups: Sequence[DuplicateGroup]


@dataclass(frozen=True)
class _DrawnGroup:
    title: str
    pictures: Sequence[Picture]


def build_duplicates_page(page: DuplicatesPage) -> str:
    """Return one self-contained HTML page without scripts; everything of it is escaped."""
    return render_page(
        "duplicates.html",
        title=f"Near duplicates: {page.dataset}",
        page=page,
        groups=[
            _DrawnGroup(
                group.title,
                [show_sample(one.path, one.thumbnail, one.outcome) for one in group.samples],
            )
            for group in page.groups
        ],
    )
