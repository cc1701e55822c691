"""One attribute tried on a folder of images, shown as one page."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jinja2
import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image

from pipeline.config.dataset import Dataset
from pipeline.exceptions import ConfigError
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.images.measure import MEASURE_VERSION, measure_image
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.measured import (
    bin_values,
    list_bins,
    needs_text,
    resolve_edges,
    take_values,
)
from pipeline.labels.zero_shot import label_samples, list_prompts, make_prototypes
from pipeline.samples.read import read_samples
from pipeline.tables import MEASUREMENTS, Vectors
from pipeline.texts.measures import measure_lines
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.vocabulary import UNKNOWN

SHOWN = 24  # pictures of each value
THUMBNAIL = 128  # pixels
_BATCH = 32

Measure = Callable[[Image.Image], dict[str, float]]


class PreviewEncoder(Protocol):
    """What a preview needs of an encoder; see pipeline.embeddings.Encoder."""

    @property
    def encoder_id(self) -> str:
        """Which encoder it is."""

    @property
    def logit_scale(self) -> float:
        """Factor on a cosine before the softmax."""

    def encode_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """Encode RGB images, (n, d) of unit length."""

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Encode prompts, (m, d) of unit length."""


@dataclass(frozen=True)
class Preview:
    """What an attribute says about the images of a folder.

    counts: value -> images, in the order of the values, "unknown" last. rows: path, value,
    score, margin, number (what a measure gave) and thumbnail (JPEG bytes), surest first.
    """

    attribute: Attribute
    folder: Path
    counts: dict[str, int]
    rows: pl.DataFrame
    rejects: pl.DataFrame


@dataclass
class _Decoded:
    """What is kept of the images after their one decode, in the order of the samples."""

    keys: list[str]
    thumbnails: list[bytes]
    vectors: list[npt.NDArray[np.float32]]
    measures: list[dict[str, float]]
    rejects: list[dict[str, str]]


def preview_attribute(
    attribute: Attribute, folder: Path, get_encoder: Callable[[], PreviewEncoder], *, limit: int
) -> Preview:
    """Label the first `limit` images of a folder with one attribute.

    get_encoder: called only when the attribute has prompts. Raises ConfigError for a given
    attribute, whose labels stand in a table, not in pixels.
    """
    if attribute.kind == "given":
        column = attribute.given_column
        raise ConfigError(
            f"attribute {attribute.name!r} is given by column {column!r} of a dataset; "
            "only attributes of kind prompts or measured can be previewed"
        )
    found = read_samples(Dataset(format="folder", images=(folder.absolute(),)), limit=limit)
    encoder = get_encoder() if attribute.kind == "prompts" else None
    measure = _make_text_measure() if needs_text(attribute) else measure_image
    decoded = _decode(found.samples, folder, encoder, measure)
    samples = found.samples.filter(pl.col("sample_id").is_in(pl.Series(decoded.keys).implode()))
    labels = _label(attribute, samples, decoded, encoder)
    order = list_bins(attribute, labels.edges) if not attribute.values else list(attribute.values)
    tally = dict(labels.frame["value"].value_counts().iter_rows())
    rows = labels.frame.with_columns(
        path=samples["path"], thumbnail=pl.Series(decoded.thumbnails, dtype=pl.Binary)
    )
    return Preview(
        attribute=attribute,
        folder=folder,
        counts={value: tally.get(value, 0) for value in [*order, UNKNOWN]},
        rows=rows.sort("margin", "path", descending=[True, False], nulls_last=True),
        rejects=pl.concat([found.rejects, pl.DataFrame(decoded.rejects, found.rejects.schema)]),
    )


def render_preview(preview: Preview) -> str:
    """Return the preview as one HTML page without scripts; everything of it is escaped."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    groups = [
        (value, count, _make_pictures(preview, value)) for value, count in preview.counts.items()
    ]
    return environment.from_string(_PAGE).render(
        attribute=preview.attribute,
        folder=preview.folder,
        groups=groups,
        total=len(preview.rows),
        rejects=preview.rejects.to_dicts(),
        shown=SHOWN,
    )


@dataclass(frozen=True)
class _Labelled:
    frame: pl.DataFrame  # value, score, margin, number
    edges: tuple[float, ...] = ()


def _make_text_measure() -> Measure:
    reader = load_reader()
    return lambda image: measure_lines(reader.read(image), width=image.width, height=image.height)


def _decode(
    samples: pl.DataFrame, folder: Path, encoder: PreviewEncoder | None, measure: Measure
) -> _Decoded:
    decoded = _Decoded([], [], [], [], [])
    for block in samples.iter_slices(_BATCH):
        images: list[Image.Image] = []
        for row, image, measures in _load(block, folder, decoded, measure):
            decoded.keys.append(row["sample_id"])
            decoded.thumbnails.append(make_thumbnail(image, THUMBNAIL))
            decoded.measures.append(measures)
            images.append(image)
        if encoder is not None and images:
            decoded.vectors.append(encoder.encode_images(images))
    return decoded


def _load(
    block: pl.DataFrame, folder: Path, decoded: _Decoded, measure: Measure
) -> Iterator[tuple[dict[str, str], Image.Image, dict[str, float]]]:
    for row in block.iter_rows(named=True):
        try:
            image = load_image(folder / row["path"])
            yield row, image, measure(image)
        except ImageRejectedError as error:
            reject = {"path": row["path"], "stage": "preview", "reason": error.reason}
            decoded.rejects.append(reject)


def _label(
    attribute: Attribute, samples: pl.DataFrame, decoded: _Decoded, encoder: PreviewEncoder | None
) -> _Labelled:
    if encoder is not None:
        prompts = list_prompts(attribute)
        texts = Vectors(pl.Series(prompts), encoder.encode_texts(prompts), encoder.encoder_id)
        prototypes = make_prototypes(attribute, texts, logit_scale=encoder.logit_scale)
        values = np.concatenate(decoded.vectors) if decoded.vectors else texts.values[:0]
        images = Vectors(samples["content_key"], values, encoder.encoder_id)
        labels = label_samples(images, prototypes, sample_ids=samples["sample_id"], label_id="")
        number = pl.lit(None, dtype=pl.Float64).alias("number")
        return _Labelled(labels.select("value", "score", "margin", number))
    measurements = pl.DataFrame(
        [
            {"content_key": key, "measure": name, "measure_version": MEASURE_VERSION, "value": v}
            for key, measures in zip(samples["content_key"], decoded.measures, strict=True)
            for name, v in measures.items()
        ],
        schema=dict(MEASUREMENTS),
    ).unique(["content_key", "measure"], maintain_order=True)  # copies of one file
    numbers = take_values(attribute, samples, measurements)
    edges = resolve_edges(attribute, numbers["value"])
    labels = bin_values(attribute, numbers, edges=edges, label_id="")
    frame = labels.select("value", "score", "margin").with_columns(number=numbers["value"])
    return _Labelled(frame, edges)


def _make_pictures(preview: Preview, value: str) -> list[dict[str, str]]:
    rows = preview.rows.filter(pl.col("value") == value).head(SHOWN)
    return [
        {"source": _encode(row["thumbnail"]), "path": row["path"], "told": _tell(row)}
        for row in rows.iter_rows(named=True)
    ]


def _encode(thumbnail: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode('ascii')}"


def _tell(row: dict[str, float | None]) -> str:
    if row["number"] is not None:
        return f"{row['number']:.4g}"
    return f"score {row['score']:.2f}, margin {row['margin']:.2f}"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ attribute.name }} on {{ folder }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #1d2430; background: #fff; }
h2 { margin: 2rem 0 .5rem; }
ul { display: flex; flex-wrap: wrap; gap: .75rem; list-style: none; padding: 0; margin: 0; }
li { width: 8rem; font-size: .8rem; overflow-wrap: anywhere; }
img { width: 100%; height: 8rem; object-fit: contain; background: #eef0f4; }
small, .note { color: #525c6b; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e9ef; background: #14171c; } img { background: #242933; }
  small, .note { color: #a9b2c0; } }
</style>
</head>
<body>
<h1>{{ attribute.name }}</h1>
<p>{{ total }} images of {{ folder }}; the surest {{ shown }} of each value are shown.</p>
{% if attribute.kind == "prompts" %}
<p class="note">score: probability of the value. margin: that minus the second; under
{{ attribute.min_margin }} the value is unknown.</p>
{% endif %}
{% if attribute.sensitive %}
<p><strong>Perceived appearance, inferred by a model and often wrong; not identity.</strong></p>
{% endif %}
{% for value, count, pictures in groups %}
<h2>{{ value }} <small>{{ count }} of {{ total }}</small></h2>
<ul>
{% for picture in pictures %}
<li><img src="{{ picture.source }}" alt="{{ picture.path }}, labelled {{ value }}">
{{ picture.path }}<br><small>{{ picture.told }}</small></li>
{% endfor %}
</ul>
{% endfor %}
{% if rejects %}
<h2>Not used <small>{{ rejects | length }}</small></h2>
<ul>
{% for reject in rejects %}
<li>{{ reject.path }}: {{ reject.reason }}</li>
{% endfor %}
</ul>
{% endif %}
</body>
</html>
"""
