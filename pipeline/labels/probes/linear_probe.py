"""A linear probe: logistic regression from vectors to the values of one attribute."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from pipeline.arrays import Floats, Ints, Vectors
from pipeline.exceptions import EncoderMismatchError, StoreError
from pipeline.labels.probes.examples import FOLDS, Examples, assign_folds, split_values
from pipeline.labels.probes.logit_scale import LogitScale, fit_scale
from pipeline.labels.probes.regression import Regression, make_features, train
from pipeline.tables import LABELS, check
from pipeline.vocabulary import UNKNOWN

VERSION = 1  # of how a probe is trained: another makes other labels
STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # inverse of the penalty, sklearn's C, of unit-size features
_DECIMALS = 9

_ARRAYS = ("coefficients", "intercept", "shares")
# How far a label goes from the most probable value (0) to the one whose share rises most (1):
# at 1/4 labels of eleven attributes of faces agreed best with the truth, see docs/probes.md.
_RARITY = 0.25


@dataclass(frozen=True)
class Probe:
    """A trained probe of one attribute, by one encoder.

    values: k of those that the attribute names. coefficients (k, d), intercept (k,): their logits.
    shares: (k,) how frequent the values are in the audit, by the checks.
    left_out: values with too few examples, and their number. examples: what it was trained on.
    strength: the C that was chosen. training_id: hash of what it was trained on. held_out: of each
    training sample (by sample_id) the probabilities by a probe that was not trained on its cluster.
    """

    attribute: str
    encoder_id: str
    values: tuple[str, ...]
    coefficients: Floats
    intercept: Floats
    shares: Floats
    strength: float
    examples: int
    left_out: Mapping[str, int]
    training_id: str
    held_out: Mapping[str, tuple[float, ...]]

    def weigh(self, vectors: Floats, sample_ids: pl.Series) -> Floats:
        """Return (n, k) probabilities of the values.

        vectors: (n, d) unit-length, of sample_ids. Those of training samples are held-out ones.
        """
        logits = vectors @ self.coefficients.T + self.intercept
        probabilities = np.asarray(special.softmax(logits, axis=1), np.float64)
        for row, sample_id in enumerate(sample_ids):
            if sample_id in self.held_out:
                probabilities[row] = self.held_out[sample_id]
        return probabilities

    def label(
        self,
        vectors: Vectors,
        *,
        sample_ids: pl.Series,
        min_margin: float | Sequence[float],
        label_id: str,
    ) -> pl.DataFrame:
        """Give each sample a value.

        vectors: of n samples, row by row those of sample_ids. Returns the `labels` table in that
        order. The value is the one with the largest probability over a root of its share in the
        audit, so that a rare value is not lost where it is nearly as probable; `score` is its
        probability, `margin` how far it leads the second, by these numbers made to add up to 1; a
        margin under `min_margin`, one number or one for each of the k values, gives "unknown".
        Equal ones go to the earlier value.
        Raises EncoderMismatchError when the vectors come from another encoder.
        """
        if vectors.encoder_id != self.encoder_id:
            raise EncoderMismatchError(
                f"attribute {self.attribute!r}: images were embedded by {vectors.encoder_id}, the "
                f"probe was trained on vectors of {self.encoder_id}; train it again"
            )
        probabilities = self.weigh(vectors.values.astype(np.float64), sample_ids)
        leads = probabilities / self.shares**_RARITY
        leads = (leads / leads.sum(axis=1, keepdims=True)).round(_DECIMALS)
        winner = leads.argmax(axis=1)
        top_two = np.sort(leads, axis=1)[:, -2:]
        margins = (top_two[:, 1] - top_two[:, 0]).round(_DECIMALS)
        least = np.broadcast_to(np.asarray(min_margin, np.float64), (len(self.values),))[winner]
        names = pl.Series(self.values, dtype=pl.String)
        labels = pl.DataFrame(
            {
                "sample_id": sample_ids,
                "value": names.gather(winner),
                "score": probabilities[np.arange(len(winner)), winner].round(_DECIMALS),
                "margin": margins,
            }
        ).with_columns(
            value=pl.when(pl.Series(margins >= least)).then("value").otherwise(pl.lit(UNKNOWN)),
            attribute=pl.lit(self.attribute),
            source=pl.lit("probe"),
            label_id=pl.lit(label_id),
        )
        return check(labels.select(list(LABELS)), LABELS, table="labels")

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps({
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "version": VERSION,
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
        })  # fmt: skip

    @classmethod
    def from_json(cls, text: str, *, source: str) -> "Probe | None":
        """Read what `to_json` wrote, None of another version; raises StoreError naming `source`."""
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("version") != VERSION:
                return None
            content["values"] = tuple(content["values"])
            content |= {name: np.array(content[name], np.float64) for name in _ARRAYS}
            content["held_out"] = {key: tuple(row) for key, row in content["held_out"].items()}
            return cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{source}: no probe ({error}); remove it") from None


def fit_probe(
    examples: Examples,
    *,
    attribute: str,
    values: Sequence[str],
    encoder_id: str,
    anchors: Floats | None = None,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
) -> Probe | None:
    """Train a probe; None where fewer than two values have enough examples.

    values: of the attribute, in its order. anchors: (v, d) a vector of each value, such as the mean
    of its prompts: likeness to them is a feature that is hardly penalised, so that few examples
    mend the prompts instead of replacing them. strengths: to choose from; the one of least held-out
    log-loss is taken. Values weigh alike in training; the factor and the offsets that make logits
    probabilities are fitted to held-out logits, weighted by inclusion, so that values are as
    frequent as in the audit. What concerns the samples of a fold, the strength and the scale
    included, is chosen by the others.
    """
    kept, few = split_values(examples, values)
    if len(kept) < 2:
        return None
    own = examples.select(examples.values.is_in(kept).to_numpy())
    codes = own.values.replace_strict(list(kept), range(len(kept)), return_dtype=pl.Int64)
    classes: Ints = codes.to_numpy()
    anchored = None if anchors is None else anchors[[list(values).index(value) for value in kept]]
    features = make_features(own.vectors, anchored)
    folds = assign_folds(classes, own.cluster_ids, seed=seed)
    logits = {c: _hold_out(features.values, classes, folds, c) for c in strengths}
    strength, scale = _choose_scale(logits, classes, own.weights)
    held_out = np.empty((len(own), len(kept)))
    for fold in np.unique(folds):
        others = folds != fold
        c, by_others = _choose_scale(
            {c: one[others] for c, one in logits.items()}, classes[others], own.weights[others]
        )
        held_out[~others] = by_others.weigh(logits[c][~others])
    trained = features.restore(train(features.values, classes, len(kept), strength))
    return Probe(
        attribute=attribute,
        encoder_id=encoder_id,
        values=kept,
        coefficients=scale.factor * trained.coefficients,
        intercept=scale.factor * trained.intercept + scale.offsets,
        shares=_share(classes, own.weights, len(kept)),
        strength=strength,
        examples=len(own),
        left_out=few,
        training_id=examples.hash_content(encoder_id),
        held_out=dict(zip(own.sample_ids, map(tuple, held_out.tolist()), strict=True)),
    )


def _share(classes: Ints, weights: Floats, count: int) -> Floats:
    shares = np.bincount(classes, weights, minlength=count)
    return np.asarray(shares / shares.sum(), np.float64)


def _hold_out(features: Floats, classes: Ints, folds: Ints, strength: float) -> Floats:
    """Return (n, k) logits of each sample by the other folds."""
    count = int(classes.max()) + 1
    logits = np.empty((len(classes), count))
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            found: Regression = train(features[~inside], classes[~inside], count, strength)
            logits[inside] = features[inside] @ found.coefficients.T + found.intercept
    return logits


def _choose_scale(
    logits: Mapping[float, Floats], classes: Ints, weights: Floats
) -> tuple[float, LogitScale]:
    """Return the strength of least loss, the smaller of equals, and its scale."""
    scales = {c: fit_scale(one, classes, weights) for c, one in logits.items()}
    best = min(scales, key=lambda c: (round(scales[c].loss, 9), c))
    return best, scales[best]
