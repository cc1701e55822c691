"""Positions of all samples: landmarks are spread out, the others placed among them, for good."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Array, Floats, Ints
from pipeline.exceptions import ConfigError
from pipeline.maps.landmarks import LANDMARKS, choose_landmarks, hash_keys
from pipeline.maps.nearest_points import find_nearest
from pipeline.maps.reduction import WIDTH, Basis, fit_basis, reduce_vectors
from pipeline.maps.spread import LEAST, Method, spread_points
from pipeline.tables import POSITIONS, check

_NEAREST = 10  # landmarks among which a sample is placed
_JITTER = 0.3  # of the spread of these, so that equal neighbors do not make equal positions


@dataclass(frozen=True)
class MapSettings:
    """How a map is made; landmarks: how many samples are spread out, the others are placed."""

    method: Method = "tsne"
    landmarks: int = LANDMARKS
    seed: int = 0


def make_positions(
    keys: pl.Series, vectors: Array, strata: Ints, *, settings: MapSettings, jobs: int = 1
) -> tuple[pl.DataFrame, Basis]:
    """Return the `positions` of samples, sorted by key, and the basis to place later ones with.

    keys: (n,) distinct content keys. vectors: (n, d) unit length, also float16 and mapped.
    strata: (n,) from 0, see `choose_landmarks`. Neither the order of rows nor jobs change a byte.
    Raises ConfigError for fewer than 10 samples, or where a library is missing.
    """
    order = keys.arg_sort().to_numpy()
    sorted_keys = keys.gather(order)
    if not (order[1:] > order[:-1]).all():  # sums depend on the order of rows
        vectors = vectors[order]
    if len(keys) < LEAST:
        raise ConfigError(f"{len(keys):,} samples have vectors; a map needs {LEAST}")
    basis = fit_basis(vectors, width=2 if settings.method == "pca" else WIDTH)
    reduced = reduce_vectors(vectors, basis)
    if settings.method == "pca":
        positions: Floats = reduced.astype(np.float64)
        return _to_frame(sorted_keys, positions, np.ones(len(keys), dtype=bool)), basis
    chosen = choose_landmarks(
        sorted_keys, strata[order], count=settings.landmarks, seed=settings.seed
    )
    spread = spread_points(reduced[chosen], method=settings.method, seed=settings.seed, jobs=jobs)
    is_landmark = np.zeros(len(keys), dtype=bool)
    is_landmark[chosen] = True
    positions = np.empty((len(keys), 2))
    positions[chosen] = spread
    others = np.flatnonzero(~is_landmark)
    if len(others):
        other_keys = sorted_keys.gather(others)
        positions[others] = _place(reduced[others], other_keys, reduced[chosen], spread)
    return _to_frame(sorted_keys, positions, is_landmark), basis


def place_samples(
    keys: pl.Series, vectors: Array, placed: pl.DataFrame, landmarks: Array, basis: Basis
) -> pl.DataFrame:
    """Return the `positions` of new samples on a map that is there; nothing on it moves.

    keys, vectors: of the new samples. placed: the rows of landmarks of POSITIONS, landmarks: their
    vectors. Each goes to the median of its 10 nearest landmarks, with a little jitter by its key.
    Of a map of principal components, where every sample is its own landmark, to its components.
    """
    reduced = reduce_vectors(vectors, basis)
    if basis.components.shape[0] == 2:
        positions: Floats = reduced.astype(np.float64)
    else:
        spread = placed.select("x", "y").to_numpy()
        positions = _place(reduced, keys, reduce_vectors(landmarks, basis), spread)
    return _to_frame(keys, positions, np.zeros(len(keys), dtype=bool)).sort("content_key")


def _place(
    reduced: NDArray[np.float32], keys: pl.Series, landmarks: NDArray[np.float32], spread: Floats
) -> Floats:
    positions = np.empty((len(reduced), 2))
    count = min(_NEAREST, len(landmarks))
    for block in find_nearest(reduced, landmarks, count=count):
        around = spread[block.ids]  # (rows, count, 2)
        middle = np.median(around, axis=1)
        reach = np.median(np.abs(around - middle[:, None]).max(axis=2), axis=1)
        own = keys[block.rows]
        angle = 2 * np.pi * hash_keys(own, seed=1)
        radius = _JITTER * reach * np.sqrt(hash_keys(own, seed=2))
        offset = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
        positions[block.rows] = middle + offset
    return positions


def _to_frame(keys: pl.Series, positions: Floats, is_landmark: Array) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "content_key": keys,
            "x": positions[:, 0].astype(np.float32),
            "y": positions[:, 1].astype(np.float32),
            "landmark": is_landmark,
        }
    )
    return check(frame, POSITIONS, table="positions")
