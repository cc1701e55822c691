"""A page of samples: which fit, in which order, and how a system does on all that fit."""

from collections.abc import Hashable
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.near_vectors import NearVectors, Uploads, join_query
from flows.browsing.sample_query import SIMILARITY, UPLOADED, SampleQuery
from flows.browsing.search_hits import SearchHits, find_search_hits
from flows.browsing.snapshots.snapshot import Snapshot, SnapshotSystem
from pipeline.arrays import Floats, Ints, Mask
from pipeline.browsing.cursors import Cursor, CursorGoneError, name_query, read_cursor
from pipeline.browsing.sample_orders import RowPage, take_page
from pipeline.exceptions import ConfigError
from pipeline.files.csv_cells import escape_formulas
from pipeline.files.toml_file import nearest
from pipeline.retrieval.query import Query, Vector
from reports.browse_models import Box, Evidence, SampleItem, SamplePage, SystemItem

MOST_COUNTED = 200_000  # samples among which the hits of a search are counted on the page
OF_HITS = "The error is that of the hits, beside all other samples."
NOT_COUNTED = (
    "Hits are not counted here: the error is that of all samples that were searched, not of those "
    "that are like what was searched for."
)
BY_LOOKING = (
    "This view was chosen by looking, so the interval is optimistic: it does not count the views "
    "that were tried. Save it as a slice or an attribute, and the next run tests it."
)


def list_samples(browser: Browser, query: SampleQuery, uploads: Uploads) -> SamplePage:
    """Return the page that a query asks for.

    Raises ConfigError for a query that cannot be, of it ConditionError with the place in the
    condition, CursorError and CursorGoneError; StoreError where vectors are missing.
    """
    snapshot = browser.snapshot
    system = snapshot.find_system(query.system)
    fits = browser.select(query.where, system)
    sort = choose_sort(query, system)
    asked = name_query(query.where.strip(), sort, system and system.name, query.text,
                       query.without, query.like)  # fmt: skip
    after = -1
    if query.after:
        after = read_cursor(query.after, snapshot_id=snapshot.snapshot_id, asked=asked)
    hits: SearchHits | None = None
    if query.is_search:
        page, scores, fits, hits = _search(browser, query, uploads, fits, sort, after)
    else:
        page, scores = _sort(browser, query, system, fits, sort, after), None
    following = None
    if page.last is not None:
        following = Cursor(snapshot.snapshot_id, asked, page.last).write()
    chosen = fits if hits is None else hits.chosen
    evidence, held_out = _weigh(browser, query, chosen, system)
    return SamplePage(
        snapshot_id=snapshot.snapshot_id,
        where=query.where,
        sort=sort,
        text=query.text,
        without=query.without,
        like=query.like,
        system=describe_system(system),
        total=int(np.count_nonzero(fits)),
        samples=snapshot.samples.height,
        items=list_items(snapshot, page.rows, system, scores),
        next=following,
        evidence=evidence,
        held_out=held_out,
        notes=[
            *([] if hits is None else [hits.end]),
            *_note(browser, query, evidence, counted=hits is not None),
        ],
    )


def write_ids(browser: Browser, query: SampleQuery) -> str:
    """Return sample_id and path of all samples that fit a condition, as CSV, by sample_id.

    Texts that a spreadsheet would run as a formula are escaped. Raises ConditionError for no
    condition; of a search all that were searched are meant.
    """
    fits = browser.select(query.where, browser.snapshot.find_system(query.system))
    taken = browser.snapshot.samples.filter(pl.Series(fits)).select("sample_id", "path")
    return escape_formulas(taken).write_csv()


def choose_sort(query: SampleQuery, system: SnapshotSystem | None) -> str:
    """Return the order that a query asks for, the default where it asks for none."""
    if query.sort:
        return query.sort
    if query.is_search:
        return f"-{SIMILARITY}"
    return "-error" if system is not None else "path"


def list_items(
    snapshot: Snapshot, rows: Ints, system: SnapshotSystem | None, scores: Floats | None = None
) -> list[SampleItem]:
    """Return some rows of a snapshot as items, in their order."""
    taken = snapshot.samples[rows]
    names = [one.name for one in snapshot.card.attributes]
    return [
        SampleItem(
            sample_id=row["sample_id"],
            path=row["path"],
            category=row["category"],
            split=row["split"],
            box=read_box(row),
            error=None if system is None else row[f"error.{system.name}"],
            similarity=None if scores is None else float(scores[place]),
            labels={name: row[f"label.{name}"] for name in names},
        )
        for place, row in enumerate(taken.iter_rows(named=True))
    ]


def read_box(row: dict[str, Any]) -> Box | None:
    """Return the box of a row, None of a whole image."""
    return None if row["x"] is None else Box(row["x"], row["y"], row["w"], row["h"])


def describe_system(system: SnapshotSystem | None) -> SystemItem | None:
    """Return a system as answers name it."""
    return None if system is None else SystemItem(system.name, system.metric, system.share)


def make_query(browser: Browser, query: SampleQuery, uploads: Uploads) -> Query:
    """Return the vector that a query searches for.

    Raises ConfigError for an unknown sample or picture, StoreError or EncoderError without vectors
    or model.
    """
    near = browser.near
    texts = near.encode_texts([query.text.strip()] if query.text.strip() else [])
    without = near.encode_texts([query.without.strip()] if query.without.strip() else [])
    pictures = [] if not query.like else [_find_vector(browser, near, query.like, uploads)]
    return join_query(texts, pictures, without, width=near.session.card.dim)


def _find_vector(browser: Browser, near: NearVectors, like: str, uploads: Uploads) -> Vector:
    if like.startswith(UPLOADED):
        vector = uploads.find(like)
        if vector is None:
            raise CursorGoneError("like: the picture that was sent is gone; send it again")
        return vector
    row = browser.snapshot.find_row(like)
    if row is None:
        raise ConfigError(f"like: there is no sample {like!r}")
    vector = near.find_vector(row)
    if vector is None:
        raise ConfigError(f"like: sample {like} has no vector; run `weakspot embed`")
    return vector


def _search(
    browser: Browser, query: SampleQuery, uploads: Uploads, fits: Mask, sort: str, after: int
) -> tuple[RowPage, Floats, Mask, SearchHits | None]:
    """Return the page of a search, its scores, which samples were searched, and its hits.

    Hits are counted of words alone, which takes as long as the search again: those of a picture
    need a mixture to be fitted, which takes seconds.
    """
    name, descending = _split_sort(sort)
    if name != SIMILARITY:
        raise ConfigError(f"sort: a search is ordered by {SIMILARITY}; leave `sort` out")
    found = make_query(browser, query, uploads)
    page, scores = browser.near.take_page(
        found, fits, after=after, limit=query.limit, descending=descending
    )
    searched = fits & browser.near.known
    counted = found.kind == "text" and 0 < np.count_nonzero(searched) <= MOST_COUNTED
    hits = find_search_hits(browser, query, found, searched) if counted else None
    return page, scores, searched, hits


def _sort(
    browser: Browser,
    query: SampleQuery,
    system: SnapshotSystem | None,
    fits: Mask,
    sort: str,
    after: int,
) -> RowPage:
    name, descending = _split_sort(sort)
    columns = browser.snapshot.list_columns(system)
    if name == SIMILARITY:
        raise ConfigError("sort: similarity needs a text or a picture to search for")
    if name not in columns:
        raise ConfigError(f"sort: no {name!r} is known here; {nearest(name, columns)}")
    order = browser.order(columns[name].column, descending=descending)
    return take_page(order, fits, after=after, limit=query.limit)


def _split_sort(sort: str) -> tuple[str, bool]:
    return sort.removeprefix("-"), sort.startswith("-")


def _weigh(
    browser: Browser, query: SampleQuery, fits: Mask, system: SnapshotSystem | None
) -> tuple[Evidence | None, Evidence | None]:
    """Return the evidence of all that fit, and of those held out from the search."""
    if system is None or (query.is_search and not fits.any()):
        return None, None
    key: Hashable = query.where.strip()
    if query.is_search:
        key = (key, query.text, query.without, query.like)
    own = browser.weigh(key, fits, system)
    held = browser.weigh_held_out(key, fits, system)
    return Evidence(**asdict(own)), None if held is None else Evidence(**asdict(held))


def _note(
    browser: Browser, query: SampleQuery, evidence: Evidence | None, *, counted: bool
) -> list[str]:
    """Say what the evidence is of. counted: whether the hits of a search are known."""
    notes = []
    if evidence is not None and query.is_search:
        notes.append(OF_HITS if counted else NOT_COUNTED)
    if evidence is not None and (query.where.strip() or counted):
        notes.append(BY_LOOKING)
        if browser.names_error(query.where, browser.snapshot.find_system(query.system)):
            notes.append(
                "The condition names the error itself: the error of these samples is what they "
                "were chosen by, and says nothing."
            )
    if evidence is not None and evidence.missing:
        notes.append(f"{evidence.missing:,} of these samples have no error of this system.")
    return notes
