"""One attribute tried on a folder of images: labels, and a page that shows them."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipeline.arrays import Vectors
from pipeline.config.dataset import CropRule, Dataset
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.exceptions import ConfigError
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.labellers import MeasuredLabeller, PromptLabeller
from pipeline.labels.measured import needs_text, resolve_edges, take_values
from pipeline.labels.zero_shot import list_prompts, make_prototypes
from pipeline.samples.read import read_samples
from pipeline.texts.measures import measure_texts
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.texts.text_lines import read_texts
from pipeline.vocabulary import UNKNOWN
from reports.pages.preview_page import AttributePreview, PreviewedSample

SHOWN = 24  # pictures of each value
SIDE = 128  # pixels of a thumbnail
_BATCH = 32


def preview_attribute(
    attribute: Attribute, folder: Path, get_encoder: Callable[[], Encoder], *, limit: int
) -> AttributePreview:
    """Label the first `limit` images of a folder with one attribute.

    get_encoder: called only when the attribute has prompts. Raises ConfigError for a given
    attribute, whose labels are in a table, not in pixels.
    """
    if attribute.kind == "given":
        column = attribute.given_column
        raise ConfigError(
            f"attribute {attribute.name!r} is given by column {column!r} of a dataset; "
            "only attributes of kind prompts or measured can be previewed"
        )
    found = read_samples(Dataset(format="folder", images=(folder.absolute(),)), limit=limit)
    if attribute.kind == "prompts":
        labels, values, rejects = _label_by_prompts(attribute, found.samples, folder, get_encoder())
    else:
        labels, values, rejects = _label_by_measure(attribute, found.samples, folder)
    counts = dict(labels["value"].value_counts().iter_rows())
    rows = labels.join(found.samples.select("sample_id", "path"), on="sample_id")
    rows = rows.sort("margin", "path", descending=[True, False], nulls_last=True)
    return AttributePreview(
        attribute=attribute,
        folder=str(folder),
        counts={value: counts.get(value, 0) for value in (*values, UNKNOWN)},
        samples={value: _show_samples(rows, value, folder) for value in (*values, UNKNOWN)},
        rejects=pl.concat([found.rejects, rejects]),
    )


_Labelled = tuple[pl.DataFrame, tuple[str, ...], pl.DataFrame]  # labels and number, values, rejects


def _label_by_prompts(
    attribute: Attribute, samples: pl.DataFrame, folder: Path, encoder: Encoder
) -> _Labelled:
    prompts = list_prompts(attribute)
    texts = Vectors(pl.Series(prompts), encoder.encode_texts(prompts), encoder.encoder_id)
    prototypes = make_prototypes(attribute, texts, logit_scale=encoder.logit_scale)
    labeller = PromptLabeller(attribute, "", prototypes)
    with open_pool() as pool:
        made = embed_block(
            samples, root=folder, crop=CropRule(), encoder=encoder, pool=pool,
            batch_size=_BATCH, measures=False,
        )  # fmt: skip
    labels = labeller.label(samples, made.vectors)
    return labels.with_columns(number=None), labeller.values, made.rejects


def _label_by_measure(attribute: Attribute, samples: pl.DataFrame, folder: Path) -> _Labelled:
    with open_pool() as pool:
        if needs_text(attribute):
            reader = load_reader()
            read = read_texts(samples, root=folder, reader=reader, pool=pool)
            measurements = measure_texts(read.rows, samples, reader_id=reader.reader_id)
            rejects = read.rejects
        else:
            made = embed_block(samples, root=folder, crop=CropRule(), encoder=None, pool=pool)
            measurements, rejects = made.measurements, made.rejects
    usable = samples.join(rejects, on="path", how="anti")
    numbers = take_values(attribute, usable, measurements)
    edges = resolve_edges(attribute, numbers["value"])
    labeller = MeasuredLabeller(attribute, "", numbers, edges)
    labels = labeller.label(usable, None).join(
        numbers.rename({"value": "number"}), on="sample_id", how="left"
    )
    return labels, labeller.values, rejects


def _show_samples(rows: pl.DataFrame, value: str, folder: Path) -> tuple[PreviewedSample, ...]:
    """Return the samples of one value that are shown, the surest first."""
    shown = rows.filter(pl.col("value") == value).head(SHOWN)
    return tuple(
        PreviewedSample(path, _make_thumbnail(folder / path), score, margin, number)
        for path, score, margin, number in shown.select(
            "path", "score", "margin", "number"
        ).iter_rows()
    )


def _make_thumbnail(path: Path) -> bytes:
    try:
        return make_thumbnail(load_image(path), SIDE)
    except ImageRejectedError:  # gone meanwhile
        return b""
