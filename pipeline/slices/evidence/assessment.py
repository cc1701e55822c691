"""A family on all rows, or on those that findings leave: statistics, and how rare they are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.counting.joint_counts import JointCounts, add_channels
from pipeline.slices.counting.joint_kernels import load_joint_kernels
from pipeline.slices.counting.supersets import Superset, plan_supersets
from pipeline.slices.evidence.clusters import Clustered, compute_clustered_p, measure_slices
from pipeline.slices.evidence.discovery import Discovery, RowSubset
from pipeline.slices.evidence.maxima import Maxima
from pipeline.slices.evidence.normal_t import normal_t
from pipeline.slices.evidence.permutations import Permuted, open_maxima
from pipeline.slices.evidence.root_deviance import root_deviance
from pipeline.slices.evidence.significance import compute_p, compute_tail, count_high
from pipeline.slices.family import Family
from pipeline.slices.ordered.widen import pick_run_kernels
from pipeline.statistics.p_values import adjust_bh
from pipeline.vocabulary import LEVEL

_LEFT = 0.05  # share of a slice that must be left by the findings for it to be tested there
_ONE_BY_ONE = 300  # slices that are counted again where histograms might be too large


@dataclass(frozen=True)
class Assessment:
    """The k slices of a family among some rows: `remaining` of all n.

    sums, p: of these rows. statistic: -inf where nothing can be said. bound: Bonferroni's p, may be
    above 1, of `tests` hypotheses. maxima: None where not all slices were counted, or without
    permutations; then the bound decides.
    """

    remaining: Mask
    subset: RowSubset
    sums: Sums
    p: Floats
    statistic: Floats
    bound: Floats
    tests: float
    maxima: Maxima | None

    def is_significant(self, position: int, level: float) -> bool:
        """Decide whether the family-wise p of one slice is at most `level`."""
        if self.maxima is None:
            return bool(self.bound[position] <= level)
        statistic, bound = float(self.statistic[position]), float(self.bound[position])
        return self.maxima.is_rare(statistic, bound, level)

    @cached_property
    def q(self) -> Floats:
        """(k,) Benjamini and Hochberg's q of the p behind `bound`."""
        return adjust_bh(np.minimum(self.bound / self.tests, 1.0))

    def find_significant(self, level: float) -> Mask:
        """Return (k,) the same by Bonferroni and by the permutations that were made already."""
        known: Mask = self.bound <= level
        return (
            known if self.maxima is None else known | self.maxima.find_rare(self.statistic, level)
        )

    def is_rare(self, statistic: float, level: float) -> bool:
        """Decide whether the family-wise p of any statistic is at most `level`."""
        bound = float(special.ndtr(-statistic)) * self.tests
        if self.maxima is None:
            return bound <= level
        return self.maxima.is_rare(statistic, bound, level)


@dataclass(frozen=True)
class FamilyWise:
    """Family-wise p of some slices, and the permutations behind it at most; 0: Bonferroni's."""

    p: Floats
    permutations: int


@dataclass(frozen=True)
class Assessor:
    """Assesses one family among whatever rows are asked for."""

    discovery: Discovery
    family: Family
    supersets: list[Superset] | None  # None: not all slices were counted
    permutations: int
    seed: int

    def assess(self, remaining: Mask | None = None, *, most: int | None = None) -> Assessment:
        """Assess the family among the rows that remain, all of them for None.

        most: permutations at most. A slice of which fewer than 5 % of the rows remain is not
        assessed.
        """
        if remaining is None:
            everything = np.ones(len(self.discovery.rows), np.bool_)
            return self.assess_subset(self.discovery.take(), everything, most=most)
        return self.assess_subset(self.discovery.take(remaining), remaining, most=most)

    def assess_subset(
        self, subset: RowSubset, remaining: Mask, *, most: int | None = None
    ) -> Assessment:
        """Assess the family among rows that were taken already, of the n those that remain."""
        joint = self._join(subset)
        rows = len(subset.cells.losses.errors)
        whole = rows == len(self.discovery.rows)
        sums = self.family.sums if whole else self._add_up(subset, joint, remaining)
        least = _LEFT * self.family.sums.weight
        counted = (sums.n >= 2) & (sums.n < rows) & (sums.weight >= least)
        clustered = self._measure_clusters(subset, sums)
        if clustered is not None:
            counted &= clustered.deviation > 0
        statistic = self._compute_statistic(subset.cells, sums, clustered)
        statistic[~counted] = -np.inf
        p = self._compute_p(subset, sums, clustered)
        bound = self._compute_tail(subset, sums, p, clustered) * self.tests
        maxima = None
        made = self.permutations if most is None else min(most, self.permutations)
        if joint is not None and made > 0:
            permuted = Permuted(subset.cells, joint, sums, counted, self.sign, self.seed)
            maxima = open_maxima(permuted, subset.cluster_ids, clustered, made)
        return Assessment(remaining, subset, sums, p, statistic, bound, self.tests, maxima)

    def compute_family_wise(self, full: Assessment, positions: Ints) -> FamilyWise:
        """Return family-wise p of some slices among all rows: max-T, or Bonferroni's."""
        if full.maxima is None or not len(positions):
            tests = max(float(len(self.family)), self.discovery.search.possible_slices)
            return FamilyWise(np.minimum(self.family.p[positions] * tests, 1.0), 0)
        p = full.maxima.compute_p(full.statistic[positions], full.bound[positions])
        return FamilyWise(p, full.maxima.most)

    @property
    def sign(self) -> float:
        """1 for larger errors inside a slice, -1 for smaller ones."""
        return 1.0 if self.discovery.search.options.direction == "worse" else -1.0

    @property
    def tests(self) -> float:
        """Hypotheses that Bonferroni counts: all slices there can be where not all were counted."""
        counted = float(len(self.family))
        return max(
            counted, 0.0 if self.supersets is not None else self.discovery.search.possible_slices
        )

    def count_shared(self, masks: Mask, positions: Ints) -> Ints:
        """Return (c, f) how many rows slices at c positions share with f sets of rows (f, n)."""
        cells = self.discovery.search.cells
        joint = self._join(self.discovery.take())
        if joint is not None and joint.codes.shape[1] == masks.shape[1]:
            rows = [np.flatnonzero(mask).astype(np.int32)[None] for mask in masks]
            return np.stack([joint.count_rows(some)[positions, 0] for some in rows], axis=1)
        if joint is not None and cells.cell_of is not None:
            count = joint.codes.shape[1]
            by_cell = [np.bincount(cells.cell_of[mask], minlength=count) for mask in masks]
            return joint.add_up(np.stack(by_cell, axis=1))[positions]
        inside = (self.discovery.members(self.family.ids(int(p))) for p in positions)
        return np.stack([(masks & rows).sum(axis=1) for rows in inside])

    def _join(self, subset: RowSubset) -> JointCounts | None:
        if self.supersets is None:
            return None
        losses = subset.cells.losses
        merged = subset.cluster_ids is not None or losses.weights is not None or losses.binary
        return JointCounts(
            subset.cells.codes if merged else subset.codes, subset.cells.layout.dims,
            self.supersets, len(self.family),
            load_joint_kernels(self.discovery.search.options.backend),
            pick_run_kernels(self.discovery.search.kernels),
        )  # fmt: skip

    def _add_up(self, subset: RowSubset, joint: JointCounts | None, remaining: Mask) -> Sums:
        """Return the sums of all slices; where not all were counted, of those with a small q."""
        if joint is not None:
            return add_channels(joint, subset.cells)
        losses = self.discovery.rows.losses
        channels = np.zeros((len(self.family), losses.channels), np.int64)
        by_p = np.argsort(self.family.p, kind="stable")[:_ONE_BY_ONE]
        for position in by_p[self.family.q[by_p] < LEVEL]:
            inside = self.discovery.members(self.family.ids(int(position))) & remaining
            rows = losses.take(np.flatnonzero(inside)).fill_channels()
            channels[position, :-1] = rows[:, :-1].sum(axis=0)
        return losses.finish(channels)

    def _measure_clusters(self, subset: RowSubset, sums: Sums) -> Clustered | None:
        cluster_ids, losses = subset.cluster_ids, subset.cells.losses
        if cluster_ids is None and (losses.weights is None or self.supersets is None):
            return None
        numbers = np.arange(len(losses.errors)) if cluster_ids is None else cluster_ids
        return measure_slices(
            subset.cells, subset.codes, numbers, self.discovery.search.kernels,
            self.family.slices, sums,
        )  # fmt: skip

    def _compute_statistic(self, cells: Cells, sums: Sums, clustered: Clustered | None) -> Floats:
        losses = cells.losses
        if clustered is not None:
            known = clustered.deviation > 0
            t = np.full(len(known), -np.inf)
            t[known] = self.sign * clustered.excess[known] / clustered.deviation[known]
            return t
        if losses.binary and losses.weights is None:
            n, high = len(losses.errors), int(losses.bits().sum())
            return root_deviance(count_high(sums, losses), sums.n, high, n, self.sign)
        return normal_t(cells.total, sums, self.sign)

    def _compute_tail(
        self, subset: RowSubset, sums: Sums, p: Floats, clustered: Clustered | None
    ) -> Floats:
        if clustered is not None:
            return p
        direction = self.discovery.search.options.direction
        return compute_tail(subset.cells.total, sums, subset.cells.losses, direction=direction)

    def _compute_p(self, subset: RowSubset, sums: Sums, clustered: Clustered | None) -> Floats:
        direction = self.discovery.search.options.direction
        if clustered is not None and subset.cluster_ids is not None:
            return compute_clustered_p(clustered, direction=direction)
        return compute_p(subset.cells.total, sums, subset.cells.losses, direction=direction)


def open_assessor(
    discovery: Discovery, family: Family, *, permutations: int, seed: int
) -> Assessor:
    """Prepare to assess a counted family, by Bonferroni where not all slices were counted."""
    supersets = None
    if discovery.search.engine == "cube":
        cells = discovery.search.cells
        losses = cells.losses
        rows = cells.codes.shape[1]
        if losses.binary and losses.weights is None and cells.bits is not None:
            high = int(cells.bits.sum(dtype=np.int64))
            rows = min(high, rows - high)
        supersets = plan_supersets(cells.layout, family.slices, rows=max(rows, 1))
    return Assessor(discovery, family, supersets, permutations, seed)
