"""Every sample gets a position on a map of the embedding space; positions stay where they are."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.run.logs import LOG
from flows.run.reading.audited_space import AuditedSpace, open_space
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.mapping.map_rows import MapRows, read_map_rows, stratify
from pipeline.arrays import Ints
from pipeline.files.core_count import count_cores
from pipeline.maps.positions import MapSettings, make_positions, place_samples
from pipeline.maps.reduction import Basis
from pipeline.workspace.kept.kept_maps import (
    find_positions,
    name_map,
    put_map,
    put_positions,
    read_basis,
)
from pipeline.workspace.manifests import MapManifest
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class Mapped:
    """A map of the samples of an audit.

    samples: SAMPLES with x and y, sorted by sample_id. rows: what is known of them. made: whether
    the map was made now; else only `placed` new contents were placed. missing: samples without
    vector.
    """

    samples: pl.DataFrame
    rows: MapRows
    made: bool
    placed: int
    landmarks: int
    missing: int


def make_map(
    resolved: ResolvedAudit, store: Store, settings: MapSettings, *, again: bool = False
) -> Mapped:
    """Make the map of an audit's samples, or place the new ones on the one that is there.

    again: make it from the start, so that positions change. Raises ConfigError without an
    [encoder], for fewer than 10 samples or where a library is missing, StoreError where nothing is
    embedded.
    """
    space = open_space(resolved, store)
    rows = read_map_rows(resolved, store, space.samples)
    if rows.stale:
        LOG.warning("labels or errors changed since findings were made; `weakspot find` makes them")
    name = name_map(
        space.encoder_id,
        method=settings.method,
        landmarks=settings.landmarks,
        seed=settings.seed,
    )
    there = None if again else find_positions(store, name)
    placed = 0
    if there is None:
        positions = _make(space, rows, settings, store, name)
    else:
        positions = _place(space, there, store, name)
        placed = positions.height - there.height
    MapManifest(
        encoder_id=space.encoder_id,
        folder=name,
        method=settings.method,
        landmarks=settings.landmarks,
        seed=settings.seed,
    ).write(store.folder)
    samples = space.samples.join(
        positions.select("content_key", map_x="x", map_y="y"),
        on="content_key",
        how="left",
        maintain_order="left",
    )
    count = int(positions["landmark"].sum())
    return Mapped(samples, rows, there is None, placed, count, space.missing)


def _make(
    space: AuditedSpace, rows: MapRows, settings: MapSettings, store: Store, name: str
) -> pl.DataFrame:
    contents = _list_contents(space, stratify(rows, space.samples.height))
    positions, basis = make_positions(
        contents["content_key"],
        space.scan.vectors[contents["row"].to_numpy()],
        contents["stratum"].to_numpy(),
        settings=settings,
        jobs=count_cores(),
    )
    put_map(store, name, positions, basis.mean, basis.components)
    return positions


def _place(space: AuditedSpace, there: pl.DataFrame, store: Store, name: str) -> pl.DataFrame:
    """Place the contents that have no position yet."""
    strata = np.zeros(space.samples.height, dtype=np.int64)
    new = _list_contents(space, strata).join(there, on="content_key", how="anti")
    if new.is_empty():
        return there
    landmarks = there.filter("landmark").with_columns(
        row=space.scan.find_rows(there.filter("landmark")["content_key"])
    )
    landmarks = landmarks.filter(pl.col("row").is_not_null())  # whose vectors are still there
    added = place_samples(
        new["content_key"],
        space.scan.vectors[new["row"].to_numpy()],
        landmarks,
        space.scan.vectors[landmarks["row"].to_numpy()],
        Basis(*read_basis(store, name)),
    )
    positions = pl.concat([there, added]).sort("content_key")
    put_positions(store, name, positions)
    return positions


def _list_contents(space: AuditedSpace, strata: Ints) -> pl.DataFrame:
    """Return content_key, row and stratum of each content once, sorted by key."""
    frame = space.samples.select("content_key", "row").with_columns(stratum=pl.Series(strata))
    return (
        frame.group_by("content_key")
        .agg(pl.col("row").first(), pl.col("stratum").max())
        .sort("content_key")
    )
