"""The page of a map, from its samples: points and columns as bytes, thumbnails of the worst."""

import io
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from flows.run.logs import advance_progress, show_progress
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.mapping.map_rows import MapRows
from flows.stages.reporting.report_map import outline_finding, picture_map
from flows.stages.space.map import Mapped
from pipeline.arrays import Floats, Ints
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.maps.density import frame_positions
from pipeline.maps.point_columns import (
    SHOWN,
    choose_shown,
    encode_errors,
    encode_values,
    pack_ids,
    pack_places,
)
from pipeline.vocabulary import CLUSTER
from pipeline.workspace.manifests import MapManifest
from pipeline.workspace.store import Store
from reports.map_models import MapColumn, MapPage, MapReport

PICTURED = 1_000  # samples with a thumbnail, those with the largest errors
_SIDE, _ROW = 40, 32  # pixels of a thumbnail, thumbnails in a row of the sprite
_QUALITY = 60
_TOTAL_BYTES = 1_000_000  # of columns: so many are left out that a page stays small


def gather_page(
    resolved: ResolvedAudit,
    store: Store,
    mapped: Mapped,
    *,
    color: str | None = None,
    most: int = SHOWN,
    pictured: int = PICTURED,
) -> MapPage:
    """Return all that the page of a map shows.

    color: the attribute or system to color by at first, "error" for the errors of the first system;
    its errors, or else the first attribute, when None.
    """
    samples, rows = mapped.samples, mapped.rows
    points = samples.select("map_x", "map_y").to_numpy()
    places = frame_positions(points).place(points)
    worst = _sum_errors(rows, samples.height)
    kept = worst > 0
    for finding in rows.findings:
        kept |= finding.inside
    shown = choose_shown(places, samples["sample_id"], kept, most=most)
    ids, digits = pack_ids(samples["sample_id"].gather(shown))
    sprite, with_picture = _draw_sprite(
        samples, shown, worst, resolved.audit.dataset.root, pictured
    )
    return MapPage(
        name=resolved.audit.name,
        kind=resolved.audit.dataset.sample,
        shown=len(shown),
        places=pack_places(places[shown]),
        ids=ids,
        digits=digits,
        columns=_order_columns(_list_columns(rows, shown), color),
        reports=_picture_systems(resolved, store, rows, places),
        members={
            f"{one.system} {one.rank}": np.packbits(one.inside[shown], bitorder="little").tobytes()
            for one in rows.findings
        },
        sprite=sprite,
        side=_SIDE,
        pictured=with_picture,
    )


def list_colors(rows: MapRows) -> list[str]:
    """Return what points can be colored by."""
    return [*rows.errors, *rows.attributes.columns]


def _sum_errors(rows: MapRows, n: int) -> Floats:
    """Return (n,) the errors of all systems together, 0 where none is known."""
    total = np.zeros(n)
    for errors in rows.errors.values():
        total += np.nan_to_num(errors)
    return total


def _list_columns(rows: MapRows, shown: Ints) -> list[MapColumn]:
    columns = []
    for system, errors in rows.errors.items():
        codes, highest = encode_errors(errors[shown])
        columns.append(MapColumn(system, "error", codes.tobytes(), highest=highest, unit="error"))
    for values in rows.attributes.iter_columns():
        codes, listed = encode_values(values.gather(shown), rows.orders.get(values.name, ()))
        columns.append(MapColumn(values.name, "attribute", codes.tobytes(), values=listed))
    return columns


def _order_columns(columns: list[MapColumn], color: str | None) -> tuple[MapColumn, ...]:
    """Return the columns, the one to begin with first; no more than a page can carry."""
    first = [one for one in columns if color in (one.name, "error") and color is not None][:1]
    clusters = [one for one in columns if one.name == CLUSTER]
    ordered = list({one.name: one for one in [*first, *columns[:1], *clusters, *columns]}.values())
    size = len(columns[0].codes) if columns else 1
    return tuple(ordered[: max(8, _TOTAL_BYTES // max(size, 1))])


def _picture_systems(
    resolved: ResolvedAudit, store: Store, rows: MapRows, places: Floats
) -> tuple[MapReport, ...]:
    """Return the picture of each system; without any, one of the density alone."""
    metrics = {one.name: one.error for one in resolved.audit.systems}
    method = MapManifest.read(store.folder).method
    reports = []
    for system, errors in rows.errors.items():
        outlines = [
            outline_finding(
                {
                    "rank": one.rank,
                    "predicates": one.predicates,
                    "n": int(one.inside.sum()),
                    "error": one.error,
                    "rest_error": one.rest_error,
                },
                places[one.inside],
            )
            for one in rows.findings
            if one.system == system
        ]
        reports.append(
            picture_map(
                places, errors, rows.attributes, outlines,
                system=system, metric=metrics.get(system, "error"), method=method,
            )
        )  # fmt: skip
    if reports:
        return tuple(reports)
    unknown = np.full(len(places), np.nan)
    return (
        picture_map(
            places, unknown, rows.attributes, (), system="no system", metric="error", method=method
        ),
    )


def _draw_sprite(
    samples: pl.DataFrame, shown: Ints, worst: Floats, root: Path, most: int
) -> tuple[bytes, tuple[int, ...]]:
    """Return thumbnails of the worst samples shown, as one WebP, and which points these are."""
    errors = worst[shown]
    order = np.lexsort((np.arange(len(shown)), -errors))
    chosen = np.sort(order[errors[order] > 0][:most])
    pictures: list[tuple[int, Image.Image]] = []
    with show_progress("thumbnails", len(chosen)):
        for point in chosen:
            row = samples.row(int(shown[point]), named=True)
            advance_progress(1)
            box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
            try:
                small = make_thumbnail(load_image(root / row["path"]), _SIDE, box=box)
            except ImageRejectedError:  # gone since: the point has no thumbnail
                continue
            pictures.append((int(point), Image.open(io.BytesIO(small)).convert("RGB")))
    if not pictures:
        return b"", ()
    sheet = Image.new("RGB", (_ROW * _SIDE, -(-len(pictures) // _ROW) * _SIDE), (250, 250, 250))
    for place, (_, picture) in enumerate(pictures):
        left = place % _ROW * _SIDE + (_SIDE - picture.width) // 2
        sheet.paste(picture, (left, place // _ROW * _SIDE + (_SIDE - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return buffer.getvalue(), tuple(point for point, _ in pictures)
