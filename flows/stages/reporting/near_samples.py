"""Samples outside a slice whose vectors are nearest to those of its failing samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.stages.reporting.pictures.picked_samples import SHOWN, Mask, Turns
from pipeline.arrays import Ints
from pipeline.exceptions import StoreError
from pipeline.workspace.scans.scan_store import Scan, open_scan
from pipeline.workspace.store import Store

_BLOCK = 1 << 15  # rows of vectors in memory at a time
_NEAREST = 8 * SHOWN  # among which those of images shown least come first


@dataclass(frozen=True)
class NearSamples:
    """Rows of the search table, nearest first, and their cosines to the failing samples."""

    rows: list[int]
    similarities: list[float]


NOTHING = NearSamples([], [])


def open_vectors(store: Store, encoder_id: str | None) -> Scan | None:
    """Return all vectors of an encoder; None where the audit has none."""
    if encoder_id is None:
        return None
    try:
        return open_scan(store, encoder_id)
    except StoreError:  # an audit without embedded samples, or pruned ones
        return None


def find_near(
    scan: Scan,
    content_keys: pl.Series,
    failing: Sequence[Sequence[int]],
    inside: Sequence[Mask],
    turns: Turns,
) -> list[NearSamples]:
    """Return for each finding the samples outside it nearest to its failing ones.

    content_keys: (n,) of the rows of the search table. failing: rows, one list a finding. inside:
    (n,) booleans, one a finding. Nearest is by cosine to the mean of the unit vectors of those
    failing. A row without a vector is never near.
    """
    places = scan.find_rows(content_keys).fill_null(-1).to_numpy().astype(np.int64)
    means = np.stack([_average(scan, places[np.asarray(rows, np.int64)]) for rows in failing])
    found = _compare(scan, places, means)  # (n, findings)
    return [
        _choose(found[:, at], ~inside[at] & (places >= 0), turns) if means[at].any() else NOTHING
        for at in range(len(failing))
    ]


def _average(scan: Scan, places: Ints) -> NDArray[np.float32]:
    """Return the unit mean of some vectors; zeros without any."""
    there = places[places >= 0]
    if not there.size:
        return np.zeros(scan.vectors.shape[1], np.float32)
    mean: NDArray[np.float32] = scan.vectors[there].astype(np.float32).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / np.float32(length) if length else mean


def _compare(scan: Scan, places: Ints, means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (n, findings) cosines; one pass over the vectors serves all findings."""
    found = np.full((places.size, len(means)), -np.inf, np.float32)
    for start in range(0, places.size, _BLOCK):
        block = places[start : start + _BLOCK]
        known = block >= 0
        vectors = scan.vectors[block[known]].astype(np.float32)  # (b, d)
        found[start : start + _BLOCK][known] = vectors @ means.T
    return found


def _choose(similarity: NDArray[np.float32], allowed: Mask, turns: Turns) -> NearSamples:
    rows = np.flatnonzero(allowed)
    if rows.size > _NEAREST:
        rows = rows[np.argpartition(-similarity[rows], _NEAREST)[:_NEAREST]]
        rows = np.sort(rows)
    chosen = turns.pick(rows, similarity[rows].astype(np.float64))
    chosen.sort(key=lambda row: (-float(similarity[row]), row))
    return NearSamples(chosen, [float(similarity[row]) for row in chosen])
