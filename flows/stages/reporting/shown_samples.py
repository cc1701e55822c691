"""Samples as the galleries of the site show them: pictures, boxes, labels and classes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.run.resolved_audit import ResolvedAudit
from flows.stages.reporting.pictures.album import Album, Picture, load_face_detector, take_pictures
from flows.stages.reporting.pictures.scene_boxes import draw_scenes, focus_on, read_box
from flows.stages.reporting.shown_labels import read_shown_labels
from pipeline.images.crop import Box
from pipeline.tables import CLASS_MATCHES
from pipeline.workspace.kept.kept_evaluation import read_evaluation
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import ScoreManifest
from pipeline.workspace.store import Store
from reports.site_models import SceneBox, Shot, ShownLabel

Boxes = Mapping[str, tuple[SceneBox, ...]]  # of each path
_NO_CLASS: Mapping[str, Any] = {"true": None, "predicted": None, "score": None}


@dataclass(frozen=True, eq=False)
class ShownSamples:
    """All samples of all galleries, by sample_id.

    labels: of each sample. boxes: of each system by path. classes: of each system by sample.
    """

    rows: Mapping[str, dict[str, Any]]
    labels: Mapping[str, Sequence[ShownLabel]]
    boxes: Mapping[str, Boxes]
    classes: Mapping[str, Mapping[str, Mapping[str, Any]]]
    album: Album
    names_files: bool

    def show(
        self,
        sample_id: str,
        attributes: Collection[str],
        *,
        system: str = "",
        error: float | None = None,
        similarity: float | None = None,
        box: Box | None = None,
    ) -> Shot:
        """Return one sample with its labels of some attributes; system: whose outputs it shows.

        box: of a whole image, the one that it is about.
        """
        row = self.rows[sample_id]
        picture = self.album.pictures.get(sample_id, Picture())
        known = self.classes.get(system, {}).get(sample_id, _NO_CLASS)
        boxes = self.boxes.get(system, {}).get(row["path"], ()) if picture.scene else ()
        own = self.labels.get(sample_id, ())
        labels = [one for one in own if one.attribute in attributes]
        return Shot(
            sample_id=sample_id,
            caption=row["path"] if self.names_files else "",
            error=error,
            picture=picture.thumbnail,
            scene=picture.scene,
            size=picture.size,
            boxes=focus_on(row if box is None else row | _place(box), boxes),
            labels=tuple(labels),
            true=known["true"],
            predicted=known["predicted"],
            probability=known["score"],
            similarity=similarity,
        )  # fmt: skip


def _place(box: Box) -> dict[str, float]:
    return dict(zip(("x", "y", "w", "h"), box, strict=True))


def prepare_samples(
    resolved: ResolvedAudit,
    store: Store,
    samples: pl.DataFrame,
    columns: Sequence[LabelColumn],
    wanted: Collection[str],
) -> ShownSamples:
    """Read and draw what the galleries show of the samples whose ids are `wanted`."""
    rows = samples.filter(pl.col("sample_id").is_in(sorted(wanted)))
    paths = rows["path"].unique().sort().to_list()
    scored = ScoreManifest.read(store.folder).systems
    boxes, classes = {}, {}
    for system in resolved.audit.systems:
        if system.name in scored:
            boxes[system.name] = _draw(store, scored[system.name].error_id, paths)
            classes[system.name] = _list_classes(store, scored[system.name].error_id, rows)
    return ShownSamples(
        rows={row["sample_id"]: row for row in rows.to_dicts()},
        labels=_group_labels(read_shown_labels(store, columns, rows["sample_id"].to_list())),
        boxes=boxes,
        classes=classes,
        album=_fill_album(resolved, samples, rows, paths, boxes),
        names_files=resolved.audit.report.names_files,
    )


def _draw(store: Store, error_id: str, paths: Sequence[str]) -> Boxes:
    kept = read_evaluation(store, error_id)
    return {} if kept is None else draw_scenes(paths, *kept)


def _list_classes(store: Store, error_id: str, rows: pl.DataFrame) -> dict[str, Mapping[str, Any]]:
    matches = store.read_matches(error_id)
    if matches is None or not set(CLASS_MATCHES) <= set(matches.columns):
        return {}
    own = matches.filter(pl.col("sample_id").is_in(rows["sample_id"].to_list()))
    return {row["sample_id"]: row for row in own.to_dicts()}


def _group_labels(labels: pl.DataFrame) -> dict[str, list[ShownLabel]]:
    grouped: dict[str, list[ShownLabel]] = {}
    for sample_id, attribute, value, score in labels.iter_rows():
        grouped.setdefault(sample_id, []).append(ShownLabel(attribute, value, score))
    return grouped


def _fill_album(
    resolved: ResolvedAudit,
    samples: pl.DataFrame,
    rows: pl.DataFrame,
    paths: Sequence[str],
    boxes: Mapping[str, Boxes],
) -> Album:
    """Take the pictures that the report may show; none where it says so."""
    thumbnails = resolved.audit.report.thumbnails
    if thumbnails == "none":
        return Album({}, {})
    if thumbnails == "full":
        return take_pictures(rows, resolved.audit.dataset.root)
    people: dict[str, tuple[SceneBox, ...]] = {}
    beside = samples.filter(pl.col("path").is_in(list(paths)) & pl.col("x").is_not_null())
    for row in beside.to_dicts():
        own = SceneBox("true", "truth", read_box(row), row["category"] or "")
        people[row["path"]] = (*people.get(row["path"], ()), own)
    for drawn in boxes.values():
        people |= {path: (*people.get(path, ()), *own) for path, own in drawn.items()}
    return take_pictures(
        rows, resolved.audit.dataset.root, boxes=people, find_faces=load_face_detector()
    )
