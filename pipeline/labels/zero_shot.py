"""Labels from prompts: the value whose wordings a sample's vector resembles most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.arrays import Floats, Ints, Vectors
from pipeline.exceptions import EncoderError, EncoderMismatchError
from pipeline.labels.attribute_file import Attribute
from pipeline.tables import LABELS, check
from pipeline.vocabulary import UNKNOWN

Ensemble = Literal["mean", "probability", "max", "naive"]

_ROWS_AT_ONCE = 8192  # bounds the memory: 32 MB of float64 at 512 dimensions
_DECIMALS = 9  # rounds away what the order of summation leaves, so that ties are ties


@dataclass(frozen=True)
class Prototypes:
    """The vectors of the values of one attribute, by one encoder.

    vectors: (k, d) unit-length. owners: (k,) the value each belongs to, an index into `values`.
    min_margins: (v,) the margin under which a label of each value is "unknown"; infinite: always.
    """

    attribute: str
    values: tuple[str, ...]
    vectors: Floats
    owners: npt.NDArray[np.intp]
    ensemble: Ensemble
    min_margins: tuple[float, ...]
    logit_scale: float
    encoder_id: str


def list_prompts(attribute: Attribute) -> list[str]:
    """Return the filled-in prompts of an attribute, each once, by value, prompt and template."""
    prompts = [prompt for value in attribute.values for prompt in _fill(attribute, value)]
    return list(dict.fromkeys(prompts))


def make_prototypes(
    attribute: Attribute,
    vectors: Vectors,
    *,
    logit_scale: float,
    ensemble: Ensemble | None = None,
    min_margins: Sequence[float] | None = None,
) -> Prototypes:
    """Make the vectors of each value of an attribute.

    vectors: of prompts, keyed by their text; those of `list_prompts` must be among them.
    logit_scale: the factor on cosines that the encoder was trained with.
    ensemble: `mean` averages the unit prompt vectors of a value and makes the mean unit-length
    (Radford et al. 2021, section 3.1.4); `probability` and `max` keep every prompt; `naive`
    takes the first prompt in the first template. The attribute's own when None.
    min_margins: one for each value; the attribute's own when None, and 0 where that is "auto".
    Raises EncoderError when a prompt has no vector.
    """
    mode = ensemble or attribute.ensemble
    rows = {prompt: row for row, prompt in enumerate(vectors.keys.to_list())}
    absent = [prompt for prompt in list_prompts(attribute) if prompt not in rows]
    if absent:
        raise EncoderError.from_problems(
            f"attribute {attribute.name!r}", [f"prompt {text!r} has no vector" for text in absent]
        )
    parts: list[Floats] = []
    for value in attribute.values:
        filled = [rows[prompt] for prompt in _fill(attribute, value)]
        units = _make_unit(vectors.values[filled], what=f"prompts of {value!r}")
        if mode == "mean":
            units = _make_unit(units.mean(axis=0, keepdims=True), what=f"mean of {value!r}")
        parts.append(units[:1] if mode == "naive" else units)
    return Prototypes(
        attribute=attribute.name,
        values=tuple(attribute.values),
        vectors=np.concatenate(parts),
        owners=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        ensemble=mode,
        min_margins=tuple(min_margins) if min_margins else (attribute.stated_margin,) * len(parts),
        logit_scale=logit_scale,
        encoder_id=vectors.encoder_id,
    )


def average_prompts(prototypes: Prototypes) -> Floats:
    """Return (v, d) for each value the unit-length mean of its prompt vectors."""
    count = len(prototypes.values)
    parts = [prototypes.vectors[prototypes.owners == value].mean(axis=0) for value in range(count)]
    return _make_unit(np.stack(parts), what=f"means of {prototypes.attribute!r}")


def label_samples(
    vectors: Vectors, prototypes: Prototypes, *, sample_ids: pl.Series, label_id: str
) -> pl.DataFrame:
    """Give each sample the attribute value whose prompts it resembles most.

    vectors: (n, d) image vectors. sample_ids: (n,) whose vectors they are, row by row.
    Returns the `labels` table, one row a sample in the given order: `score` is the probability
    of the best value, `margin` that minus the second; a margin under that of the prototypes for
    the value gives "unknown". Equal probabilities go to the earlier value.
    Raises EncoderMismatchError when images and prompts come from different encoders.
    """
    probabilities = weigh_values(vectors, prototypes, sample_ids=sample_ids)
    best, scores, margins = choose_values(probabilities)
    names = pl.Series(prototypes.values, dtype=pl.String)
    labels = pl.DataFrame(
        {
            "sample_id": sample_ids,
            "attribute": pl.Series([prototypes.attribute]).new_from_index(0, len(sample_ids)),
            "source": pl.Series(["zero-shot"]).new_from_index(0, len(sample_ids)),
            "value": names.gather(best),
            "score": scores,
            "margin": margins,
            "label_id": pl.Series([label_id]).new_from_index(0, len(sample_ids)),
        }
    )
    sure = pl.Series(margins >= np.asarray(prototypes.min_margins)[best], dtype=pl.Boolean)
    return check(
        labels.with_columns(pl.when(sure).then("value").otherwise(pl.lit(UNKNOWN)).alias("value")),
        LABELS,
        table="labels",
    )


def choose_values(probabilities: Floats) -> tuple[Ints, Floats, Floats]:
    """Return the most probable value of each sample, its probability and its margin, (n,) each.

    probabilities: (n, v). Values are indices; whatever the margin none is "unknown".
    """
    best = probabilities.argmax(axis=1)  # the first of equals
    top_two = np.sort(probabilities, axis=1)[:, -2:]
    margins: Floats = (top_two[:, 1] - top_two[:, 0]).round(_DECIMALS)
    return best, top_two[:, 1], margins


def weigh_values(vectors: Vectors, prototypes: Prototypes, *, sample_ids: pl.Series) -> Floats:
    """Return the (n, v) probability of each value for each sample.

    Arguments and errors as for `label_samples`.
    """
    _check_fit(vectors, prototypes, sample_ids)
    blocks = [_weigh_block(block, prototypes) for block in _blocks(vectors.values)]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(prototypes.values)))


def _fill(attribute: Attribute, value: str) -> list[str]:
    return [
        template.replace("{}", prompt)
        for prompt in attribute.values[value]
        for template in attribute.templates
    ]


def _make_unit(vectors: npt.NDArray[np.floating], *, what: str) -> Floats:
    unit: Floats = vectors / _measure_lengths(vectors.astype(np.float64), what=what)[:, None]
    return unit


def _measure_lengths(vectors: Floats, *, what: str) -> Floats:
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))  # (n,)
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if bad.size:
        raise EncoderError(
            f"{what}: {bad.size} of {len(vectors)} vectors are zero or not finite (first: row "
            f"{bad[0]}); embed again, in precision fp32 if it was a narrower one"
        )
    return lengths


def _blocks(vectors: npt.NDArray[np.float32]) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        yield vectors[start : start + _ROWS_AT_ONCE]


def _weigh_block(vectors: npt.NDArray[np.float32], prototypes: Prototypes) -> Floats:
    """Return the (n, v) probability of each value for each vector."""
    count = len(prototypes.values)
    exact = vectors.astype(np.float64)
    lengths = _measure_lengths(exact, what=f"samples of {prototypes.attribute!r}")
    # Dividing the products by the lengths equals making the vectors unit-length, and is cheaper.
    logits = prototypes.logit_scale * (exact @ prototypes.vectors.T) / lengths[:, None]  # (n, k)
    if prototypes.ensemble == "probability":
        # Over all prompts at once, then the mean of each value's, so that more prompts weigh
        # no more.
        each = _softmax(logits)
        shares = np.stack([each[:, prototypes.owners == v].mean(axis=1) for v in range(count)], 1)
        probabilities = shares / shares.sum(axis=1, keepdims=True)
    else:  # one prompt a value, or the best of each
        tops = [logits[:, prototypes.owners == v].max(axis=1) for v in range(count)]
        probabilities = _softmax(np.stack(tops, axis=1))
    rounded: Floats = probabilities.round(_DECIMALS)
    return rounded


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _check_fit(vectors: Vectors, prototypes: Prototypes, sample_ids: pl.Series) -> None:
    if vectors.encoder_id != prototypes.encoder_id:
        raise EncoderMismatchError(
            f"attribute {prototypes.attribute!r}: images were embedded by {vectors.encoder_id}, "
            f"prompts by {prototypes.encoder_id}; embed both with one encoder"
        )
    if vectors.values.shape[1:] != prototypes.vectors.shape[1:]:
        raise EncoderMismatchError(
            f"attribute {prototypes.attribute!r}: image vectors have shape "
            f"{vectors.values.shape}, prompt vectors {prototypes.vectors.shape}"
        )
    if len(vectors.values) != len(sample_ids):
        raise EncoderError(
            f"attribute {prototypes.attribute!r}: {len(sample_ids)} samples for "
            f"{len(vectors.values)} vectors; give one id for each row"
        )
