"""One pass over all sets: the largest excess of residual errors, and how often chance has it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.regions.error_scores import (
    PENALTIES,
    ScoreFamily,
    make_score_family,
    score_others,
)
from pipeline.regions.image_permutations import (
    draw_permutations,
    measure_design_effect,
    sort_images,
)
from pipeline.regions.neighbor_balls import BallFamily, make_ball_family, measure_distances
from pipeline.regions.projection import Space
from pipeline.regions.residual_errors import Residuals
from pipeline.statistics.p_values import adjust_bh

Single = NDArray[np.float32]
LEVEL = 0.02  # of p_family; at 4 %, 5 of 100 tables without a weak region had one
PERMUTATIONS = 199
_BATCHES = (32, 64, 103)
_FAMILIES = 2  # each has half of the level (Bonferroni)


@dataclass(frozen=True)
class Families:
    """All sets that are searched among the f fitted rows of n.

    space: of all n rows. fitted: (f,) numbers of rows. cluster_ids: (f,) from 0.
    """

    space: Space
    fitted: Ints
    cluster_ids: Ints
    scores: ScoreFamily
    balls: BallFamily


@dataclass(frozen=True)
class Scanned:
    """The set with the largest statistic.

    nearness: (n,) of every row, fitted or not; larger is more typical of the set. size: fitted rows
    in it. z: excess over its standard error. p, q, p_family: of one set, among all sets that were
    searched, and of the largest of all. shape: "direction" or "ball".
    """

    nearness: Floats
    size: int
    z: float
    p: float
    q: float
    p_family: float
    shape: str


def open_families(
    space: Space, fitted: Ints, cluster_ids: Ints, *, least: int, seed: int
) -> Families:
    """Prepare the sets among the fitted rows.

    cluster_ids: (f,) the image of each fitted row, from 0. least: rows of the smallest set.
    """
    scores = make_score_family(
        (space.linear[fitted], space.pairs[fitted]), cluster_ids, least=least, seed=seed
    )
    balls = make_ball_family(np.ascontiguousarray(space.near[fitted]), least=least, seed=seed)
    return Families(space, fitted, cluster_ids, scores, balls)


def scan(families: Families, residuals: Residuals, *, seed: tuple[int, ...]) -> Scanned:
    """Find the set with the largest excess of residual errors.

    residuals: of the fitted rows. seed: of the permutations. Each family has half of the level, and
    of two that are significant the one with the larger statistic is returned.
    """
    values = residuals.values.astype(np.float32)
    effect = measure_design_effect(residuals.values, families.cluster_ids)
    scores, balls = families.scores, families.balls
    deviations = [_deviate(residuals, sizes, effect) for sizes in (scores.sizes, balls.sizes)]
    by_score = scores.sum_sets(values[:, None])[:, :, 0] / deviations[0]  # (regressions, sizes)
    by_ball = balls.sum_sets(values) / deviations[1]  # (centers, sizes)
    largest = (float(by_score.max()), float(by_ball.max()))

    def draw(columns: Single) -> tuple[Floats, Floats]:
        sums = scores.sum_sets(columns) / deviations[0][:, None]
        single = (np.ascontiguousarray(column) for column in columns.T)
        return sums.max(axis=(0, 1)), np.array(
            [(balls.sum_sets(column) / deviations[1]).max() for column in single]
        )

    p_families = _permute(draw, largest, residuals, families.cluster_ids, seed)
    significant = [p <= LEVEL for p in p_families]
    choices = [i for i in range(_FAMILIES) if significant[i]] or [int(np.argmin(p_families))]
    best = max(choices, key=lambda i: largest[i])
    every = np.concatenate([by_score.ravel(), by_ball.ravel()])
    p = special.ndtr(-every)
    at = int(by_score.argmax()) if best == 0 else by_score.size + int(by_ball.argmax())
    make = _score_rows if best == 0 else _measure_rows
    nearness, size = make(families, residuals, at if best == 0 else at - by_score.size)
    return Scanned(
        nearness=nearness,
        size=size,
        z=largest[best],
        p=float(p[at]),
        q=float(adjust_bh(p)[at]),
        p_family=p_families[best],
        shape=("direction", "ball")[best],
    )


def _deviate(residuals: Residuals, sizes: Ints, effect: float) -> Floats:
    """Return (s,) standard errors of sums over sets: of draws without replacement."""
    n = len(residuals.values)
    variance = residuals.variance * effect * sizes * np.maximum(1 - sizes / n, 1 / n)
    deviations: Floats = np.maximum(np.sqrt(variance), 1e-12)
    return deviations


def _permute(
    draw: Callable[[Single], tuple[Floats, Floats]],
    largest: tuple[float, float],
    residuals: Residuals,
    cluster_ids: Ints,
    seed: tuple[int, ...],
) -> list[float]:
    """Return the family-wise p of each family, times the number of families.

    Ends early where neither can be significant any more.
    """
    classes = sort_images(residuals, cluster_ids)
    allowed = LEVEL / _FAMILIES * (PERMUTATIONS + 1) - 1
    hits, drawn = np.zeros(_FAMILIES), 0
    for number, count in enumerate(_BATCHES):
        rng = np.random.default_rng([*seed, number])
        columns = draw_permutations(residuals.values, classes, count=count, rng=rng)
        for i, maxima in enumerate(draw(columns)):
            hits[i] += int((maxima >= largest[i] - 1e-9).sum())
        drawn += count
        if (hits > allowed).all():
            break
    return [min(1.0, _FAMILIES * (1 + int(one)) / (1 + drawn)) for one in hits]


def _score_rows(families: Families, residuals: Residuals, at: int) -> tuple[Floats, int]:
    """Return the scores of all rows by the regression of a set: cross-fitted where it was fitted.

    Rows that were not fitted are scored by one regression on all that were, so on a scale a little
    wider; they are ranked among themselves.
    """
    scores = families.scores
    regression, size = divmod(at, len(scores.sizes))
    own = scores.score(residuals.values.astype(np.float32)[:, None])[regression][:, 0]
    features = (families.space.linear, families.space.pairs)[regression // len(PENALTIES)]
    nearness = np.empty(len(features))
    nearness[families.fitted] = own
    fitted = np.zeros(len(features), np.bool_)
    fitted[families.fitted] = True
    if not fitted.all():
        nearness[~fitted] = score_others(
            features, residuals.values, fitted, penalty=PENALTIES[regression % len(PENALTIES)]
        )
    return nearness, int(scores.sizes[size])


def _measure_rows(families: Families, _residuals: Residuals, at: int) -> tuple[Floats, int]:
    """Return the negative distances of all rows from the center of a ball."""
    center, size = divmod(at, len(families.balls.sizes))
    near = families.space.near
    row = families.fitted[families.balls.centers[center]]
    distances = measure_distances(near[row : row + 1], near)[0]
    return -distances.astype(np.float64), int(families.balls.sizes[size])
