"""Ways to search weak regions, compared on generated vectors of which the weak rows are known.

`rivals` of bench_regions prints, for each kind of world and way: how often something is significant
at 5 %, how often that is the weak group (half of the rows of both), and the seconds it took. All
but the mixture test by the same permutations of images.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from pipeline.arrays import Floats, Ints, Mask
from pipeline.regions.error_scores import make_score_family
from pipeline.regions.image_permutations import draw_permutations, sort_images
from pipeline.regions.neighbor_balls import make_ball_family
from pipeline.regions.projection import project
from pipeline.regions.residual_errors import Residuals, take_out
from pipeline.regions.weak_regions import find_regions

Single = NDArray[np.float32]
ROWS, WIDTH = 2000, 96
PERMUTATIONS = 99
COMPONENTS = 25  # of the mixture, as Domino's default
WEIGHT = 10.0  # of errors in the mixture


@dataclass(frozen=True)
class Drawn:
    """Generated rows. vectors: (n, d) of unit length; images, errors and who is weak (n,) each."""

    vectors: Single
    images: Ints
    errors: Floats
    weak: Mask

    @property
    def residuals(self) -> Residuals:
        """Errors less their mean."""
        return take_out(self.errors, [])


Found = tuple[float, Mask]  # p of the largest excess, and its rows


def draw_rows(kind: str, rng: np.random.Generator, *, weak: bool = True) -> Drawn:
    """Draw rows of one kind; weak: whether its group fails in 40 % of rows, where others do in 12.

    "cluster": one of 40 Gaussian components. "part": the half of four components on one side of a
    direction. "pair" and "triple": rows with two or three values of ten attributes, each of which
    moves the vector along directions of its own, the later the less.
    """
    images = np.repeat(np.arange(ROWS), rng.integers(1, 4, ROWS))[:ROWS]
    if kind in ("cluster", "part"):
        component = rng.integers(0, 40, ROWS)
        noise = rng.normal(size=(ROWS, WIDTH)) * np.exp(0.5 * rng.normal(size=WIDTH))
        rows = rng.normal(size=(40, WIDTH))[component] + noise
        inside = component == 0
        if kind == "part":
            inside = component < 4
            along = rows @ rng.normal(size=WIDTH)
            inside &= along > np.median(along[inside])
    else:
        sizes = (2, 3, 2, 5, 4, 2, 3, 2, 2, 3)
        codes = np.stack([rng.integers(0, size, ROWS) for size in sizes], axis=1)
        rows = 0.35 * rng.normal(size=(ROWS, WIDTH))
        for j, size in enumerate(sizes):
            rows += 1.5 * 0.8**j * rng.normal(size=(size, WIDTH))[codes[:, j]]
        inside = (codes[:, 4] == 0) & (codes[:, 5] == 1)
        if kind == "triple":
            inside = (codes[:, 0] == 1) & (codes[:, 6] == 0) & (codes[:, 7] == 0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rates = np.where(inside & weak, 0.4, 0.12)
    errors = (rng.random(ROWS) < rates).astype(np.float64)
    return Drawn(rows.astype(np.float32), images, errors, inside)


def permute(
    drawn: Drawn, maxima: Callable[[Single], Floats], observed: float, *, seed: int
) -> float:
    """Return the family-wise p of a statistic by permutations of images."""
    residuals = drawn.residuals
    columns = draw_permutations(
        residuals.values,
        sort_images(residuals, drawn.images),
        count=PERMUTATIONS,
        rng=np.random.default_rng([seed, 9]),
    )
    return float((1 + (maxima(columns) >= observed).sum()) / (1 + PERMUTATIONS))


def deviate(drawn: Drawn, sizes: Ints) -> Floats:
    """Return standard errors of sums of residual errors over sets of given sizes."""
    deviations: Floats = np.sqrt(drawn.residuals.variance * sizes * (1 - sizes / ROWS))
    return deviations


def search_clusters(drawn: Drawn, *, seed: int) -> Found:
    """k-means with 8, 16, 32 and 64 centers: each cluster of at least 30 rows is a set."""
    near = project(drawn.vectors, seed=seed).near
    sets = []
    for k in (8, 16, 32, 64):
        label = KMeans(k, n_init=1, random_state=seed, max_iter=25).fit_predict(near)
        sets += [label == one for one in range(k) if (label == one).sum() >= 30]
    members = np.stack(sets).astype(np.float32)
    deviations = deviate(drawn, members.sum(axis=1).astype(np.int64))
    values = members @ drawn.residuals.values / deviations
    p = permute(
        drawn, lambda columns: ((members @ columns) / deviations[:, None]).max(axis=0),
        float(values.max()), seed=seed,
    )  # fmt: skip
    return p, sets[int(values.argmax())]


def search_balls(drawn: Drawn, *, seed: int) -> Found:
    """Balls of nearest neighbors around rows, the largest over all of them."""
    family = make_ball_family(project(drawn.vectors, seed=seed).near, least=30, seed=seed)
    deviations = deviate(drawn, family.sizes)

    def measure(column: Single) -> Floats:
        return np.asarray(family.sum_sets(np.ascontiguousarray(column)) / deviations)

    values = measure(drawn.residuals.values.astype(np.float32))
    center, size = np.unravel_index(values.argmax(), values.shape)
    inside = np.zeros(ROWS, np.bool_)
    inside[family.neighbors[center, : family.sizes[size]]] = True
    p = permute(
        drawn, lambda columns: np.array([measure(one).max() for one in columns.T]),
        float(values.max()), seed=seed,
    )  # fmt: skip
    return p, inside


def search_scores(drawn: Drawn, *, seed: int, pairs: bool) -> Found:
    """Cross-fitted ridge scores on single directions, or on products of two of them."""
    space = project(drawn.vectors, seed=seed)
    features = space.pairs if pairs else space.linear
    family = make_score_family((features,), drawn.images, least=30, seed=seed)
    deviations = deviate(drawn, family.sizes)[:, None]
    column = drawn.residuals.values.astype(np.float32)[:, None]
    values = family.sum_sets(column)[:, :, 0] / deviations[:, 0]
    regression, size = np.unravel_index(values.argmax(), values.shape)
    score = family.score(column)[regression][:, 0]
    inside = np.zeros(ROWS, np.bool_)
    inside[np.argsort(-score, kind="stable")[: family.sizes[size]]] = True
    p = permute(
        drawn, lambda columns: (family.sum_sets(columns) / deviations).max(axis=(0, 1)),
        float(values.max()), seed=seed,
    )  # fmt: skip
    return p, inside


def search_mixture(drawn: Drawn, *, seed: int) -> Found:
    """A Gaussian mixture of vectors and errors (Eyuboglu et al., ICLR 2022), made calibrated.

    It is fitted on half of the images; components are then known by the vectors alone, and their
    errors tested on the other half, corrected for their number.
    """
    near = project(drawn.vectors, seed=seed).near.astype(np.float64)
    near /= near.std()
    residuals = drawn.residuals
    count = int(drawn.images.max()) + 1
    fitted = (np.random.default_rng([seed, 8]).permutation(count) % 2 == 0)[drawn.images]
    errors = residuals.values[:, None] * np.sqrt(WEIGHT / residuals.variance)
    mixture = GaussianMixture(
        COMPONENTS, covariance_type="diag", random_state=seed, max_iter=50, reg_covar=1e-3
    ).fit(np.concatenate([near, errors], axis=1)[fitted])
    means, variances = mixture.means_[:, :-1], mixture.covariances_[:, :-1]
    logs = np.stack([
        np.log(weight) - 0.5 * ((near - mean) ** 2 / variance + np.log(variance)).sum(axis=1)
        for weight, mean, variance in zip(mixture.weights_, means, variances, strict=True)
    ])  # fmt: skip
    label = logs.argmax(axis=0)
    best: Found = (1.0, np.zeros(ROWS, np.bool_))
    for component in range(COMPONENTS):
        held = (label == component) & ~fitted
        if held.sum() < 15:
            continue
        z = residuals.values[held].sum() / np.sqrt(residuals.variance * held.sum())
        p = min(1.0, COMPONENTS * float(special.ndtr(-z)))
        if p < best[0]:
            best = p, label == component
    return best


def search_both(drawn: Drawn, *, seed: int) -> Found:
    """Scores and balls together, as `find_regions` does it."""
    found = find_regions(drawn.vectors, drawn.errors, drawn.images, [], top=1, seed=seed)
    if not found.regions:
        return 1.0, np.zeros(ROWS, np.bool_)
    return found.regions[0].p_family, found.regions[0].members


RIVALS: dict[str, Callable[..., Found]] = {
    "clusters at four scales": search_clusters,
    "error-aware mixture": search_mixture,
    "nearest-neighbor balls": search_balls,
    "scores, single directions": lambda drawn, *, seed: search_scores(
        drawn, seed=seed, pairs=False
    ),
    "scores, pairs of directions": lambda drawn, *, seed: search_scores(
        drawn, seed=seed, pairs=True
    ),
    "scores and balls together": search_both,
}


def print_rivals(*, worlds: int = 10) -> None:
    """Print the comparison, a row for each kind of world and way to search."""
    print("| worlds | way | significant | the weak group | seconds |\n|---|---|---|---|---|")
    for number, (kind, weak) in enumerate(
        [("pair", True), ("cluster", True), ("pair", False), ("part", True), ("triple", True)]
    ):
        for name, search in RIVALS.items():
            hits, same, start = 0, 0, time.process_time()
            for world in range(worlds):
                drawn = draw_rows(kind, np.random.default_rng([number, world]), weak=weak)
                p, inside = search(drawn, seed=world)
                both = float((inside & drawn.weak).sum())
                hits += p <= 0.05
                same += p <= 0.05 and both >= 0.5 * max(inside.sum(), drawn.weak.sum())
            seconds = (time.process_time() - start) / worlds
            shown = kind if weak else "none is weak"
            right = f"{same}" if weak else ""
            print(
                f"| {shown} | {name} | {hits} of {worlds} | {right} | {seconds:.1f} |", flush=True
            )
