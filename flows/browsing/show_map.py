"""The map of a workspace: its picture by the errors of a system, and the samples at a place."""

from dataclasses import dataclass

import numpy as np

from flows.browsing.browser import Browser
from flows.browsing.snapshots.snapshot import SnapshotSystem
from pipeline.arrays import Floats, Ints
from pipeline.exceptions import NotFoundError
from pipeline.maps.density import frame_positions, map_density
from pipeline.maps.density_image import encode_webp, paint_density
from pipeline.workspace.kept.kept_maps import read_last_positions
from pipeline.workspace.manifests import MapManifest
from reports.result_models import MapPoint, MapSamples

AT_A_PLACE = 24  # samples


@dataclass(frozen=True)
class PlacedSamples:
    """The samples that are on a map: rows (m,) of the snapshot, places (m, 2) from top left."""

    rows: Ints
    places: Floats


def has_map(browser: Browser) -> bool:
    """Return whether a map was made in the workspace."""
    return MapManifest.locate(browser.store.folder).exists()


def read_places(browser: Browser) -> PlacedSamples:
    """Return where samples are on the map that was made last.

    Raises NotFoundError where there is none, StoreError where its files are gone.
    """
    if not has_map(browser):
        raise NotFoundError("no map was made here; `weakspot map AUDIT.toml` makes one")
    return browser.remember("map", "places", lambda: _read_places(browser))


def draw_map(browser: Browser, system: SnapshotSystem | None) -> bytes:
    """Return the picture of the map as WebP; raises as `read_places`."""
    placed = read_places(browser)

    def draw() -> bytes:
        errors = np.full(len(placed.rows), np.nan)
        if system is not None:
            column = browser.snapshot.samples[f"error.{system.name}"]
            errors = column.cast(float).to_numpy()[placed.rows].astype(np.float64)
        return encode_webp(paint_density(map_density(placed.places, errors)))

    return browser.remember("map", ("picture", system and system.name), draw)


def find_at(
    browser: Browser, x: float, y: float, *, limit: int = AT_A_PLACE
) -> tuple[Ints, MapSamples]:
    """Return the rows of the samples nearest to a place, and the same as an answer.

    x, y: shares of the picture, from its left and from its top. Raises as `read_places`.
    """
    placed = read_places(browser)
    distances = ((placed.places - np.array([x, y])) ** 2).sum(axis=1)
    count = min(limit, len(distances))
    nearest = np.argpartition(distances, count - 1)[:count]
    nearest = nearest[np.lexsort((placed.rows[nearest], distances[nearest]))]
    rows = placed.rows[nearest]
    ids = browser.snapshot.samples["sample_id"].gather(rows).to_list()
    points = [
        MapPoint(sample_id, float(place[0]), float(place[1]))
        for sample_id, place in zip(ids, placed.places[nearest], strict=True)
    ]
    return rows, MapSamples(browser.snapshot.snapshot_id, points)


def _read_places(browser: Browser) -> PlacedSamples:
    positions = read_last_positions(browser.store)
    joined = browser.snapshot.samples.select("content_key").with_row_index("row").join(
        positions.select("content_key", map_x="x", map_y="y"), on="content_key", how="inner",
        maintain_order="left",
    )  # fmt: skip
    if joined.is_empty():
        raise NotFoundError("no sample is on the map; `weakspot map AUDIT.toml` places them")
    points = joined.select("map_x", "map_y").to_numpy()
    return PlacedSamples(
        joined["row"].to_numpy().astype(np.int64), frame_positions(points).place(points)
    )
