"""What each way of reading the same prompts would have labelled, from stored vectors alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Vectors
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.zero_shot import Ensemble, choose_values, make_prototypes, weigh_values

ENSEMBLES: Final[tuple[Ensemble, ...]] = ("naive", "mean", "probability", "max")
_LEAST = 1e-9  # probabilities are rounded to it


@dataclass(frozen=True, eq=False)
class Weighed:
    """The probabilities of the v values of one attribute for n samples, as its ensemble has them.

    best: (n,) index of the label, whatever its margin. score, margin: (n,) as in `labels`.
    """

    sample_ids: pl.Series
    values: tuple[str, ...]
    probabilities: Floats  # (n, v)
    best: Ints
    score: Floats
    margin: Floats

    @property
    def labels(self) -> pl.DataFrame:
        """Return sample_id and value, none of them "unknown"."""
        names = pl.Series("value", self.values, dtype=pl.String).gather(self.best)
        return pl.DataFrame({"sample_id": self.sample_ids, "value": names})

    def list_differences(self) -> Floats:
        """(n, v) logit differences between each value and the best of the others."""
        logits = np.log(np.maximum(self.probabilities, _LEAST))
        others = np.stack(
            [np.delete(logits, v, axis=1).max(axis=1) for v in range(len(self.values))], axis=1
        )
        differences: Floats = logits - others
        return differences


def weigh_ensemble(
    attribute: Attribute,
    vectors: Vectors,
    prompts: Vectors,
    *,
    sample_ids: pl.Series,
    logit_scale: float,
    ensemble: Ensemble | None = None,
) -> Weighed:
    """Weigh the values of an attribute for samples that have vectors.

    vectors: (n, d) of the samples, row by row. prompts: keyed by text. logit_scale: of the encoder.
    ensemble: the attribute's own when None. Raises EncoderError or EncoderMismatchError as
    `make_prototypes` and `label_samples` do.
    """
    prototypes = make_prototypes(attribute, prompts, logit_scale=logit_scale, ensemble=ensemble)
    probabilities = weigh_values(vectors, prototypes, sample_ids=sample_ids)
    best, scores, margins = choose_values(probabilities)
    return Weighed(sample_ids, prototypes.values, probabilities, best, scores, margins)


def merge_weighed(blocks: Sequence[Weighed]) -> Weighed:
    """Return blocks of samples of one attribute and ensemble as one, in their order."""
    return Weighed(
        sample_ids=pl.concat([block.sample_ids for block in blocks]),
        values=blocks[0].values,
        probabilities=np.concatenate([block.probabilities for block in blocks]),
        best=np.concatenate([block.best for block in blocks]),
        score=np.concatenate([block.score for block in blocks]),
        margin=np.concatenate([block.margin for block in blocks]),
    )
