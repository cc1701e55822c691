"""What an audit teaches of its findings: scores of samples, and probabilities of these."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.mining.audited_findings import Finding
from flows.mining.label_weights import LabelModels
from flows.mining.mining_vectors import MiningVectors
from pipeline.arrays import Floats, Ints, Mask
from pipeline.mining.hit_probability import Calibration, to_logit
from pipeline.mining.likeness import Likeness
from pipeline.mining.unit_scores import take_best

Unit = NDArray[np.float32]


class By(StrEnum):
    """What likely members are found by."""

    labels = "labels"
    likeness = "likeness"
    both = "both"


@dataclass(frozen=True)
class ScoredRows:
    """n rows that are scored: keys of what each shows and of the image around it, and its unit."""

    content_keys: pl.Series
    image_keys: pl.Series
    units: Ints


@dataclass(frozen=True)
class PoolModel:
    """Turns vectors into probabilities of belonging to each of f findings.

    anchors: of windows, None where samples are scored themselves. shows: of a window, how probably
    it shows an object; the last column of the likeness. of_rows, of_units: by finding; a unit is an
    image of windows, or the row itself. truthful: (f,) whether probabilities are fitted to true
    values or checks, not to labels. notes: in words.
    """

    findings: tuple[Finding, ...]
    by: By
    labels: LabelModels
    likeness: Likeness
    anchors: Floats | None
    shows: Calibration | None
    of_rows: tuple[Calibration, ...]
    of_units: tuple[Calibration, ...]
    truthful: tuple[bool, ...]
    notes: tuple[str, ...]

    def score(self, rows: ScoredRows, vectors: MiningVectors, count: int) -> Floats:
        """Return (count, f) scores of units, which `of_units` turns into probabilities."""
        shown, around, there = read_pairs(rows, vectors)
        scores = self._score_rows(shown, around)
        logits = np.column_stack(
            [to_logit(one.weigh(scores[:, place])) for place, one in enumerate(self.of_rows)]
        )
        return take_best(logits, rows.units[there], count)

    def weigh(self, scores: Floats) -> Floats:
        """Return (n, f) probabilities of units with these (n, f) scores."""
        return np.column_stack(
            [one.weigh(scores[:, [place]]) for place, one in enumerate(self.of_units)]
        )

    def _score_rows(self, shown: Unit, around: Unit) -> Floats:
        likeness = self.likeness.score(np.hstack([shown, around]))
        shows = None if self.shows is None else self.shows.weigh(likeness[:, [-1]])
        weights = self.labels.weigh(self.findings, shown, around)
        return combine_scores(weights, likeness, shows, by=self.by)


def combine_scores(weights: Floats, likeness: Floats, shows: Floats | None, *, by: By) -> Floats:
    """Return (n, f, k) scores of k ways to find members.

    weights: (n, f) probabilities by labels. likeness: (n, f), or one column more. shows: (n,) how
    probably a window shows an object at all, None where there are no windows.
    """
    own = weights if shows is None else weights * shows[:, None]
    ways = []
    if by is not By.likeness:
        ways.append(to_logit(own))
    if by is not By.labels:
        ways.append(likeness[:, : weights.shape[1]])
    return np.stack(ways, axis=2)


def read_pairs(rows: ScoredRows, vectors: MiningVectors) -> tuple[Unit, Unit, Mask]:
    """Return vectors of what rows show and of the images around, of the rows that have both.

    Returns (m, d), (m, d) and (n,) which rows these are.
    """
    shown, has_own = vectors.read(rows.content_keys)
    around, has_image = vectors.read(rows.image_keys)
    there = has_own & has_image
    return shown[there], around[there], there
