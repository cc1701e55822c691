"""The search: regions one after the other, each among what the ones before leave unexplained."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.exceptions import SearchError
from pipeline.regions.image_permutations import measure_design_effect
from pipeline.regions.projection import project
from pipeline.regions.region_scan import LEVEL, Families, Scanned, open_families, scan
from pipeline.regions.residual_errors import Residuals, take_out
from pipeline.statistics.p_values import adjust_holm
from pipeline.vocabulary import CONFIRMED, LIKELY

LEAST_ROWS = 100  # below, there is nothing to search
_LEAST_SET = 30  # rows of the smallest region
_GRADES = (0.5, 1.0, 2.0, 4.0)  # times a region's size: how far its neighborhood is taken out
_SAME = 0.5  # of a region's rows in the double of an earlier one: the same weakness
_MOST_STEPS = 3  # times the regions asked for


@dataclass(frozen=True)
class Region:
    """One weak region among n rows.

    position: (n,) from 0, the share of the rows of its half that are more typical of the region.
    share: of the rows that belong to it. expected: (n,) the error that findings and earlier regions
    explain. z, p, q, p_family, shape: as `Scanned` has them. state: confirmed or likely.
    holdout_p: one-sided, None without a held-out half. folded: later regions of the same weakness.
    """

    position: Floats
    share: float
    expected: Floats
    z: float
    p: float
    q: float
    p_family: float
    shape: str
    state: str
    holdout_p: float | None = None
    folded: int = 0

    @property
    def members(self) -> Mask:
        """The (n,) rows that belong to the region, held-out ones included."""
        inside: Mask = self.position < self.share
        return inside


@dataclass(frozen=True)
class RegionSearch:
    """The regions, best first, and how the search went.

    held_out: (n,) rows that were not searched. sets: how many sets were searched. p_end: the
    family-wise p of the largest excess that was left when the search ended.
    """

    regions: tuple[Region, ...]
    held_out: Mask
    sets: int
    p_end: float


@dataclass
class _Search:
    """What the steps of a search share."""

    families: Families
    errors: Floats
    groups: list[Mask]
    held_out: Mask
    seed: int
    found: list[tuple[Scanned, Region]] = field(default_factory=list)


def find_regions(
    vectors: NDArray[np.float32],
    errors: Floats,
    cluster_ids: Ints,
    findings: Sequence[Mask],
    *,
    top: int = 3,
    confirm: float = 0.0,
    seed: int = 0,
) -> RegionSearch:
    """Find regions of the space of vectors in which errors are larger than findings explain.

    vectors: (n, d) of unit length. errors: (n,) at least 0. cluster_ids: (n,) the image of each
    row, from 0. findings: the (n,) rows of each finding by attributes. top: regions at most.
    confirm: share of the images held out to confirm them. At each step the set with the largest
    excess is a region if its family-wise p is at most 2 %; its neighborhood is taken out of the
    errors in four grades, and the search goes on. A region half of whose rows are near an earlier
    one is of the same weakness: it is taken out too, but not listed. Raises SearchError for fewer
    than 100 rows.
    """
    held_out = _hold_out(cluster_ids, confirm=confirm, seed=seed)
    fitted = np.flatnonzero(~held_out)
    if len(fitted) < LEAST_ROWS:
        raise SearchError(
            f"{len(fitted)} samples are too few to search regions; {LEAST_ROWS} are needed"
        )
    least = max(_LEAST_SET, round(0.01 * len(fitted)))
    numbers = np.unique(cluster_ids[fitted], return_inverse=True)[1].astype(np.int64)
    families = open_families(project(vectors, seed=seed), fitted, numbers, least=least, seed=seed)
    search = _Search(families, errors, list(findings), held_out, seed)
    p_end = _run_steps(search, top=top)
    sets = families.balls.neighbors.shape[0] * len(families.balls.sizes)
    sets += sum(len(one.inverses) for one in families.scores.ridges) * len(families.scores.sizes)
    regions = tuple(region for _, region in search.found)
    return RegionSearch(_judge(regions, search, cluster_ids), held_out, sets, p_end)


def _run_steps(search: _Search, *, top: int) -> float:
    """Add regions until there are `top` or nothing is significant; return the last p."""
    p_end = 1.0
    fitted = search.families.fitted
    for step in range(_MOST_STEPS * top):
        residuals = take_out(search.errors[fitted], [mask[fitted] for mask in search.groups])
        if residuals.variance <= 0:
            return 1.0
        scanned = scan(search.families, residuals, seed=(search.seed, 5, step))
        p_end = scanned.p_family
        if p_end > LEVEL or scanned.z <= 0:
            return p_end
        region = _make_region(search, scanned, residuals)
        _add(search, scanned, region)
        search.groups += [region.position < grade * region.share for grade in _GRADES]
        if len(search.found) == top:
            return p_end
    return p_end


def _make_region(search: _Search, scanned: Scanned, residuals: Residuals) -> Region:
    position = np.empty(len(search.errors))
    for half in (~search.held_out, search.held_out):
        rows = np.flatnonzero(half)
        order = np.argsort(-scanned.nearness[rows], kind="stable")
        position[rows[order]] = np.arange(len(rows)) / max(len(rows), 1)
    expected = np.empty(len(search.errors))
    expected[~search.held_out] = residuals.expected
    if search.held_out.any():
        own = [mask[search.held_out] for mask in search.groups]
        expected[search.held_out] = take_out(search.errors[search.held_out], own).expected
    return Region(
        position=position,
        share=scanned.size / len(search.families.fitted),
        expected=expected,
        z=scanned.z,
        p=scanned.p,
        q=scanned.q,
        p_family=scanned.p_family,
        shape=scanned.shape,
        state=CONFIRMED,
    )


def _add(search: _Search, scanned: Scanned, region: Region) -> None:
    """List a region, or fold it under the earlier one near which most of its rows are."""
    inside = region.members
    near = [float((other.position[inside] < 2 * other.share).mean()) for _, other in search.found]
    if near and max(near) >= _SAME:
        at = int(np.argmax(near))
        first, same = search.found[at]
        search.found[at] = first, replace(same, folded=same.folded + 1)
    else:
        search.found.append((scanned, region))


def _judge(regions: tuple[Region, ...], search: _Search, cluster_ids: Ints) -> tuple[Region, ...]:
    """Test the regions on the held-out rows, corrected for their number (Holm)."""
    held = search.held_out
    if not held.any() or not regions:
        return regions
    p = np.array([_test_held_out(one, search.errors, held, cluster_ids) for one in regions])
    adjusted = adjust_holm(p)
    return tuple(
        replace(
            region,
            holdout_p=float(p[i]),
            state=CONFIRMED if adjusted[i] < 0.05 else LIKELY,
        )
        for i, region in enumerate(regions)
    )


def _test_held_out(region: Region, errors: Floats, held: Mask, cluster_ids: Ints) -> float:
    """Return the one-sided p of the excess of residual errors, by the variance of images."""
    residuals = errors[held] - region.expected[held]
    inside = region.members[held]
    n, size = len(residuals), int(inside.sum())
    if size == 0 or size == n:
        return 1.0
    numbers = np.unique(cluster_ids[held], return_inverse=True)[1].astype(np.int64)
    effect = measure_design_effect(residuals, numbers)
    variance = float((residuals**2).mean()) * effect * size * (1 - size / n)
    own = np.bincount(numbers, residuals * inside)
    variance = max(variance, float((own**2).sum()) * (1 - size / n))
    return float(special.ndtr(-residuals[inside].sum() / variance**0.5)) if variance > 0 else 1.0


def _hold_out(cluster_ids: Ints, *, confirm: float, seed: int) -> Mask:
    count = int(cluster_ids.max(initial=-1)) + 1
    held = np.zeros(count, np.bool_)
    if confirm > 0:
        drawn = np.random.default_rng([seed, 1]).permutation(count)
        held[drawn[: round(confirm * count)]] = True
    rows: Mask = held[cluster_ids]
    return rows
