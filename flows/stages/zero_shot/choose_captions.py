"""The caption of each image among candidates, with its margin and "none of these"."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.stages.zero_shot.classified_images import ClassifiedImages
from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.retrieval.query import fit_captions
from pipeline.zero_shot.class_texts import PromptLine
from pipeline.zero_shot.class_vectors import make_class_vectors, make_unit

NONE = "none of these"


@dataclass(frozen=True)
class ChosenCaptions:
    """The caption of each image.

    table: sample_id, path, caption (or NONE), cosine, probability, margin and second, a row an
    image; margin: the probability less that of the second. long: how many candidates were averaged
    over sentences, cut: how many words were cut.
    """

    table: pl.DataFrame
    long: int
    cut: int


def choose_captions(images: ClassifiedImages, candidates: Sequence[str]) -> ChosenCaptions:
    """Choose for each image the caption that fits best, as `weakspot search --texts` does.

    Where a text about nothing in particular fits better than all candidates, it is NONE.
    """
    encoder = images.encoder
    line = PromptLine("captions", tuple(candidates), tuple((text,) for text in candidates))
    own = make_class_vectors(line, encode=encoder.encode_texts, fits=encoder.find_fitting)
    captions = own.vectors.astype(np.float32)
    neutral = encoder.encode_texts(NEUTRAL_TEXTS)
    rows = []
    for vector in make_unit(images.vectors.astype(np.float64)).astype(np.float32):
        first, second, *_ = fit_captions(
            vector, list(candidates), captions, none=NONE, none_vectors=neutral,
            logit_scale=encoder.logit_scale,
        )  # fmt: skip
        margin = first.probability - second.probability
        rows.append((first.text, first.cosine, first.probability, margin, second.text))
    names = ("caption", "cosine", "probability", "margin", "second")
    table = pl.DataFrame(rows, schema=names, orient="row")
    front = images.table.select("sample_id", "path")
    return ChosenCaptions(pl.concat([front, table], how="horizontal"), own.long, own.cut)
