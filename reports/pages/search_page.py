"""The page of what a search found: pictures, scores, and where the hits end."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.parts.gallery import show_sample
from reports.parts.templates import render_page


@dataclass(frozen=True)
class SearchedSample:
    """One result: its thumbnail, empty where the image is gone, and its numbers in words."""

    path: str
    thumbnail: bytes
    outcome: str


@dataclass(frozen=True)
class SearchedPage:
    """query: in words. facts: sentences on where the hits end and how systems do on them."""

    query: str
    dataset: str
    facts: Sequence[str]
    samples: Sequence[SearchedSample]


def build_search_page(page: SearchedPage) -> str:
    """Return one self-contained HTML page without scripts; everything of it is escaped."""
    return render_page(
        "search.html",
        title=f"Search: {page.query}",
        page=page,
        pictures=[
            show_sample(sample.path, sample.thumbnail, sample.outcome) for sample in page.samples
        ],
    )
