"""Samples that were looked at get a name: as a slice, or as an attribute of the next run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.list_samples import make_query
from flows.browsing.near_vectors import Uploads
from flows.browsing.sample_query import SampleQuery
from flows.browsing.search_hits import search_first
from flows.retrieval.save_query import check_name, save_prompts
from pipeline.arrays import Mask
from pipeline.exceptions import ConfigError, NotFoundError
from pipeline.files.whole_files import write_bytes, write_text
from pipeline.labels.attribute_file import read_attribute
from pipeline.workspace.kept.kept_selections import Removal, Selection, SelectionJournal

MOST_PICKED: Final = 5000  # samples that are picked by hand
SavedAs = Literal["slice", "attribute"]


@dataclass(frozen=True)
class SaveRequest:
    """What is to be saved. picked: sample_ids picked by hand; none for all that fit the query."""

    name: str
    saved_as: SavedAs
    query: SampleQuery
    picked: tuple[str, ...] = ()


def save_selection(browser: Browser, request: SaveRequest, uploads: Uploads) -> Selection:
    """Keep a slice or an attribute; it is on disk when this returns.

    A slice is a condition. An attribute has a file beside the workspace: of a search by words its
    prompts, of anything else the value of every sample, yes or no. Raises ConfigError for a name
    that is taken, and for what cannot be saved so, as an attribute that is chosen by the error.
    """
    workspace = browser.store.folder
    folder = check_name(request.name, workspace)
    journal = SelectionJournal(workspace)
    if journal.find(request.name) is not None:
        raise ConfigError(f"{request.name}: a selection is called so already; take another name")
    if request.name in {one.name for one in browser.snapshot.card.attributes}:
        raise ConfigError(f"{request.name}: an attribute is called so already; take another name")
    if request.saved_as == "attribute":
        _refuse_chosen_by_error(browser, request)
    chosen = _choose(browser, request, uploads)
    file = labels = None
    if request.saved_as == "slice":
        _refuse_without_condition(request)
    elif request.query.text.strip() and not request.picked and not request.query.where.strip():
        file = _write_prompts(browser, request, folder, uploads)
    else:
        file, labels = _write_values(browser, request, folder, chosen)
    query = request.query
    selection = Selection(
        name=request.name,
        saved_as=request.saved_as,
        n=int(np.count_nonzero(chosen)),
        where=query.where.strip(),
        text=query.text.strip(),
        without=query.without.strip(),
        like=query.like,
        picked=len(request.picked),
        system=query.system,
        file=None if file is None else str(file),
        labels=None if labels is None else str(labels),
        snapshot_id=browser.snapshot.snapshot_id,
        saved_at=write_now(),
    )
    journal.append(selection)
    return selection


def remove_selection(workspace: Path, name: str) -> Selection:
    """Forget a selection, and remove the files that it wrote.

    Raises NotFoundError where there is none of that name.
    """
    journal = SelectionJournal(workspace)
    known = journal.find(name)
    if known is None:
        names = ", ".join(one.name for one in journal.read()) or "none is saved"
        raise NotFoundError(f"there is no selection {name!r}; there is {names}")
    journal.append(Removal(name=name, removed_at=write_now()))
    for path in (known.file, known.labels):
        if path is not None:
            Path(path).unlink(missing_ok=True)
    return known


def write_now() -> str:
    """Return the time as journals have it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _choose(browser: Browser, request: SaveRequest, uploads: Uploads) -> Mask:
    """Return (n,) which samples are meant."""
    if request.picked:
        return _mark(browser, request.picked)
    system = browser.snapshot.find_system(request.query.system)
    fits = browser.select(request.query.where, system)
    if not request.query.is_search:
        if not fits.any():
            raise ConfigError("no sample fits; there is nothing to save")
        return fits
    found = _find(browser, request.query, uploads, fits)
    return _mark(browser, found)


def _find(browser: Browser, query: SampleQuery, uploads: Uploads, fits: Mask) -> Sequence[str]:
    """Return the hits that a search announces; raises ConfigError where their end is not known."""
    found = search_first(browser, query, make_query(browser, query, uploads), fits)
    if not len(found.hit_ids):
        raise ConfigError(
            "where the hits of this search end is not known; pick the samples that you mean"
        )
    return found.hit_ids.to_list()


def _mark(browser: Browser, sample_ids: Sequence[str]) -> Mask:
    rows = [browser.snapshot.find_row(one) for one in sample_ids]
    unknown = [one for one, row in zip(sample_ids, rows, strict=True) if row is None]
    if unknown:
        raise ConfigError(f"there is no sample {unknown[0]!r}")
    chosen = np.zeros(browser.snapshot.samples.height, np.bool_)
    chosen[[row for row in rows if row is not None]] = True
    return chosen


def _refuse_without_condition(request: SaveRequest) -> None:
    if request.picked or request.query.is_search or not request.query.where.strip():
        raise ConfigError(
            "a slice is saved by its condition; save picked samples and searches as an attribute"
        )


def _refuse_chosen_by_error(browser: Browser, request: SaveRequest) -> None:
    """Refuse an attribute that is the error itself: a search would confirm it for that alone."""
    query = request.query
    system = browser.snapshot.find_system(query.system)
    if not request.picked and browser.names_error(query.where, system):
        raise ConfigError(
            "the condition names the error: the next run would find such an attribute to be weak "
            "for that alone; leave the error out of it, or save a slice"
        )


def _write_prompts(browser: Browser, request: SaveRequest, folder: Path, uploads: Uploads) -> Path:
    """Write the words of a search as prompts, with what they are not."""
    near, query = browser.near, request.query
    texts, without = [query.text.strip()], [query.without.strip()] if query.without.strip() else []
    everything = np.ones(browser.snapshot.samples.height, np.bool_)
    found = search_first(browser, query, make_query(browser, query, uploads), everything)
    save_prompts(request.name, folder, texts, without, near.session, near.encoder, found)
    return folder / f"{request.name}.toml"


def _write_values(
    browser: Browser, request: SaveRequest, folder: Path, chosen: Mask
) -> tuple[Path, Path]:
    """Write yes or no for every sample of now, and the attribute that reads it."""
    name = request.name
    ids = browser.snapshot.samples.select("sample_id")
    values = pl.Series(name, np.where(chosen, "yes", "no"))
    labels = write_bytes(ids.with_columns(values).write_csv().encode(), folder / f"{name}.csv")
    applies = "object" if browser.snapshot.card.of_objects else "image"
    said = request.query.where or request.query.text or f"{len(request.picked)} picked samples"
    lines = [
        f"# Saved while browsing: {said}".replace("\n", " "),
        f"name = {json.dumps(name)}",
        'kind = "given"',
        f"applies_to = {json.dumps(applies)}",
        f"column = {json.dumps(name)}",
        "",
        "[values]",
        'yes = ["yes"]',
        'no = ["no"]',
        "",
    ]
    file = write_text("\n".join(lines), folder / f"{name}.toml")
    read_attribute(file)
    return file, labels
