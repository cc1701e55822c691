"""The page of an attribute that was tried on a folder of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.labels.attribute_file import Attribute
from reports.parts.gallery import Picture, encode_image
from reports.parts.templates import render_page


@dataclass(frozen=True)
class PreviewedSample:
    """One labelled image: a thumbnail, and how sure its label is or what number it has."""

    path: str
    thumbnail: bytes
    score: float | None
    margin: float | None
    number: float | None


@dataclass(frozen=True, eq=False)
class AttributePreview:
    """What an attribute says about the images of a folder.

    counts: value -> images, in the order of the values, "unknown" last. samples: value -> those
    shown, the surest first. rejects: the `rejects` table.
    """

    attribute: Attribute
    folder: str
    counts: Mapping[str, int]
    samples: Mapping[str, tuple[PreviewedSample, ...]]
    rejects: pl.DataFrame


def build_preview(preview: AttributePreview) -> str:
    """Return one self-contained HTML page without scripts; everything of it is escaped."""
    groups = [
        (value, count, [_make_picture(sample, value) for sample in preview.samples[value]])
        for value, count in preview.counts.items()
    ]
    return render_page(
        "preview.html",
        title=f"{preview.attribute.name} on {preview.folder}",
        attribute=preview.attribute,
        folder=preview.folder,
        groups=groups,
        total=sum(preview.counts.values()),
        rejects=preview.rejects.to_dicts(),
    )


def _make_picture(sample: PreviewedSample, value: str) -> Picture:
    return Picture(
        source=encode_image(sample.thumbnail),
        alt=f"{sample.path}, labelled {value}",
        caption=sample.path,
        outcome=_describe(sample),
    )


def _describe(sample: PreviewedSample) -> str:
    if sample.number is not None:
        return f"{sample.number:.4g}"
    if sample.score is None or sample.margin is None:
        return ""
    return f"score {sample.score:.2f}, margin {sample.margin:.2f}"
