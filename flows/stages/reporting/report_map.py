"""The map of the embedding space, as the report and the page of the map show it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.maps.density import frame_positions, map_density
from pipeline.maps.density_image import encode_webp, paint_density
from pipeline.maps.name_regions import describe_regions, find_regions
from pipeline.maps.outlines import outline_samples
from pipeline.vocabulary import INSUFFICIENT
from pipeline.workspace.kept.kept_maps import find_positions
from pipeline.workspace.manifests import LabelManifest, MapManifest
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store
from reports.map_models import FindingOutline, MapReport
from reports.models import SystemReport

_METHODS = {
    "tsne": "t-SNE of the embeddings",
    "umap": "UMAP of the embeddings",
    "pca": "The first two principal components of the embeddings",
}


def report_maps(
    store: Store,
    systems: Sequence[SystemReport],
    tables: Mapping[str, SearchTable],
    samples: pl.DataFrame,
) -> tuple[MapReport, ...]:
    """Return the map of each system; nothing where there is none of the vectors in use."""
    last = MapManifest.find(store.folder)
    label = LabelManifest.find(store.folder)
    if last is None or (label and label.encoder_id not in (None, last.encoder_id)):
        return ()
    positions = find_positions(store, last.folder)
    if positions is None:
        return ()
    contents = samples.select("sample_id", "content_key")
    placed = contents.join(positions, on="content_key", how="inner").select("sample_id", "x", "y")
    reports = []
    for system in systems:
        table = tables[system.name]
        rows = pl.DataFrame({"sample_id": table.sample_ids}).join(
            placed, on="sample_id", how="left", maintain_order="left"
        )
        there = rows["x"].is_not_null()
        if there.sum():
            reports.append(_report(system, table, rows, there.to_numpy(), last))
    return tuple(reports)


def _report(
    system: SystemReport, table: SearchTable, rows: pl.DataFrame, there: Mask, last: MapManifest
) -> MapReport:
    points = rows.filter(there).select("x", "y").to_numpy()
    places = frame_positions(points).place(points)
    found = system.findings.filter(pl.col("state") != INSUFFICIENT).sort("rank").to_dicts()
    outlines = [
        outline_finding(row, places[table.select_slice(row["predicates"]).to_numpy()[there]])
        for row in found
    ]
    return picture_map(
        places,
        table.errors.to_numpy()[there],
        table.attributes.filter(there),
        outlines,
        system=system.name,
        metric=system.metric,
        method=last.method,
        unplaced=int((~there).sum()),
    )


def outline_finding(row: Mapping[str, object], places: Floats) -> FindingOutline:
    """Return where a finding lies. row: rank, predicates, n, error and rest_error of FINDINGS."""
    wanted = {name: row[name] for name in ("rank", "predicates", "n", "error", "rest_error")}
    return FindingOutline(**wanted, lines=outline_samples(places))  # type: ignore[arg-type]  # a row of FINDINGS


def picture_map(
    places: Floats,
    errors: Floats,
    attributes: pl.DataFrame,
    outlines: Iterable[FindingOutline],
    *,
    system: str,
    metric: str,
    method: str,
    unplaced: int = 0,
) -> MapReport:
    """Return the map of a system: its picture, regions and findings.

    places: (n, 2) shares of the picture. errors: (n,), NaN where not known.
    """
    known = errors[np.isfinite(errors)]
    return MapReport(
        system=system,
        metric=metric,
        share=bool((known <= 1).all()),
        overall_error=float(known.mean()) if known.size else None,
        method=_METHODS[method],
        samples=len(places),
        image=encode_webp(paint_density(map_density(places, errors))),
        regions=describe_regions(places, find_regions(places), errors, attributes),
        unplaced=unplaced,
        outlines=tuple(outlines),
    )
