"""Galleries of the site: samples with their thumbnails, labels and whole images."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.parts.catalogue import Words
from reports.parts.numbers import format_number
from reports.parts.scenes import draw_boxes, say_boxes
from reports.parts.words import ErrorWords, find_relation
from reports.site_models import SceneBox, Shot, ShownLabel

_NAME = 8  # characters of an id that name a sample without a file name


@dataclass(frozen=True)
class ShotView:
    """One sample of a gallery.

    anchor: of its whole image on the page, "" without. picture, scene: files of the site, ""
    without. kind: failed | passed | "" by its error. boxes: over the whole image. lines: what is
    known of it, one text each.
    """

    anchor: str
    name: str
    picture: str
    scene: str
    size: tuple[int, int]
    alt: str
    outcome: str
    kind: str
    lines: tuple[str, ...]
    labels: tuple[tuple[str, str, str], ...]  # attribute with its relation, value, score
    boxes: Markup


@dataclass(frozen=True)
class GalleryView:
    """Some samples under a heading; kind names it in the catalogue."""

    kind: str
    shots: list[ShotView]


def view_gallery(
    kind: str, shots: Sequence[Shot], words: Words, *, errors: ErrorWords | None = None
) -> GalleryView:
    """Return a gallery; kind: its key in the catalogue, "gallery.failing".

    errors: how those of its samples are written; None where there are none.
    """
    place = kind.replace(".", "-")
    return GalleryView(
        kind=kind,
        shots=[
            _view_shot(shot, f"{place}-{at}", words, errors) for at, shot in enumerate(shots, 1)
        ],
    )


def _view_shot(shot: Shot, anchor: str, words: Words, errors: ErrorWords | None) -> ShotView:
    name = shot.caption or shot.sample_id[:_NAME]
    outcome = "" if errors is None or shot.error is None else errors.write_outcome(shot.error)
    labels = [(*_split_label(one), _write_score(one)) for one in shot.labels]
    lines = _list_lines(shot, words)
    said = [" ".join(filter(None, label)) for label in labels]
    parts = [words("gallery.sample", name=name), outcome, *said, *lines]
    return ShotView(
        anchor=anchor if shot.scene else "",
        name=name,
        picture=f"pictures/{shot.picture}" if shot.picture else "",
        scene=f"pictures/{shot.scene}" if shot.scene else "",
        size=shot.size,
        alt="; ".join(filter(None, [*parts, say_boxes(shot.boxes, words)])),
        outcome=outcome,
        kind=_name_kind(shot.error),
        lines=tuple(lines),
        labels=tuple(labels),
        boxes=draw_boxes(shot, words),
    )


def _name_kind(error: float | None) -> str:
    """Name a right or a wrong output; errors in between are neither."""
    return {0.0: "passed", 1.0: "failed"}.get(-1.0 if error is None else error, "")


def _split_label(one: ShownLabel) -> tuple[str, str]:
    return f"{one.attribute} {find_relation(one.value)}".strip(), one.value


def _write_score(one: ShownLabel) -> str:
    return "" if one.score is None else format_number(one.score)


def _list_lines(shot: Shot, words: Words) -> list[str]:
    lines = []
    if shot.true is not None or shot.predicted is not None:
        probability = "" if shot.probability is None else f" ({format_number(shot.probability)})"
        lines.append(f"{shot.true} \N{RIGHTWARDS ARROW} {shot.predicted}{probability}")
    own = find_detection(shot.boxes)
    if own is not None and own.score is not None:
        overlap = "" if own.iou is None else f", IoU {format_number(own.iou)}"
        lines.append(f"{words(f'box.{own.kind}')}, {format_number(own.score)}{overlap}")
    if shot.similarity is not None:
        lines.append(words("gallery.similarity", value=format_number(shot.similarity)))
    return lines


def find_detection(boxes: Sequence[SceneBox]) -> SceneBox | None:
    """Return the detection that is the sample or has found it; None without."""
    return next((one for one in boxes if one.focus and one.role == "detection"), None)
