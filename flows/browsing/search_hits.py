"""Where the hits of a search end, and which samples they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.sample_query import SampleQuery
from flows.retrieval.find_hits import Found, find_hits
from flows.retrieval.hit_words import describe_end
from pipeline.arrays import Mask
from pipeline.retrieval.query import Query

_SHOWN = 10  # results that a search is begun with; the page lists them itself


@dataclass(frozen=True)
class SearchHits:
    """The hits of a search among the samples that fit its condition.

    chosen: (n,) of the snapshot; none where their end is not known. end: a sentence on where they
    end.
    """

    chosen: Mask
    end: str


def find_search_hits(browser: Browser, query: SampleQuery, found: Query, fits: Mask) -> SearchHits:
    """Count the hits of a search, once for its query and condition.

    found: the vector that is searched for. fits: (n,) the samples that are searched.
    """
    system = browser.snapshot.find_system(query.system)  # whose error the condition may name
    key = (query.where.strip(), system and system.name, found.vector.tobytes())
    return browser.remember("hits", key, lambda: _count(browser, query, found, fits))


def search_first(browser: Browser, query: SampleQuery, found: Query, fits: Mask) -> Found:
    """Search as `weakspot search` does, among the samples that fit."""
    near = browser.near
    inside = browser.snapshot.samples["sample_id"].filter(pl.Series(fits))
    samples = near.session.samples.filter(pl.col("sample_id").is_in(inside.implode()))
    texts: Sequence[str] = [query.text.strip()] if query.text.strip() else []
    return find_hits(near.session, near.encoder, found, samples, texts=texts, top=_SHOWN, errors={})


def _count(browser: Browser, query: SampleQuery, found: Query, fits: Mask) -> SearchHits:
    result = search_first(browser, query, found, fits)
    hits = browser.snapshot.samples["sample_id"].is_in(result.hit_ids.implode())
    return SearchHits(np.asarray(hits.to_numpy(), np.bool_), describe_end(result))
