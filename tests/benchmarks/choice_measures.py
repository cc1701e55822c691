"""Recall and precision of the chosen slices beside an oracle, and how often chance is reported."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.slices.audit_rows import AuditRows, number_clusters, sort_rows
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.assessment import Assessment, Assessor, open_assessor
from pipeline.slices.evidence.choice import FORWARD
from pipeline.slices.evidence.discovery import open_discovery
from pipeline.slices.evidence.distinct import find_distinct
from pipeline.slices.evidence.stratified_score import score_beside
from pipeline.slices.options import SearchOptions
from pipeline.vocabulary import LEVEL
from tests.benchmarks.choice_worlds import Predicates, Shape, World, draw_errors, draw_world

_HALF = 0.5  # of the rows of two slices together, that a finding and a planted one share
SUPPORT = 0.005


@dataclass(frozen=True)
class Recovery:
    """Counts over tables with five planted slices each."""

    tables: int
    planted: int
    found: int  # planted slices that share half of the rows with a finding
    exact: int  # planted slices that a finding names exactly
    findings: int
    right: int  # findings that share half of the rows with a planted slice
    empty: int  # findings whose rows have the error that is usual outside the planted ones
    evident: int  # planted slices that are significant among all rows
    beside: int  # of these, those that are significant beside the other planted ones

    def add(self, other: "Recovery") -> "Recovery":
        """Return the sums of two."""
        names = self.__dataclass_fields__
        return Recovery(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True)
class Opened:
    """A table ready to be assessed."""

    assessor: Assessor
    full: Assessment

    def find(self, predicates: Predicates) -> int | None:
        """Return the position of a slice in the family."""
        ids = {pair: i for i, pair in enumerate(self.assessor.family.layout.predicates)}
        if any(pair not in ids for pair in predicates):
            return None
        return self.assessor.family.find(tuple(sorted(ids[pair] for pair in predicates)))

    def members(self, position: int) -> Mask:
        """Return (n,) the rows of a slice."""
        return self.assessor.discovery.members(self.assessor.family.ids(position))


def open_table(
    table: pl.DataFrame, errors: Floats, *, cluster_ids: object = None, permutations: int = 1000,
    seed: int = 0, support: float = SUPPORT,
) -> Opened:  # fmt: skip
    """Count the family of a table and assess it among all rows."""
    n = table.height
    rows = AuditRows(
        encode_table(table),
        prepare_losses(errors, None, rows=n),
        number_clusters(cluster_ids, rows=n),  # type: ignore[arg-type]  # array-like or None
    )
    discovery = open_discovery(sort_rows(rows), SearchOptions(min_support=support))
    family = discovery.count().family
    assessor = open_assessor(discovery, family, permutations=permutations, seed=seed)
    return Opened(assessor, assessor.assess())


def name_findings(opened: Opened) -> list[Predicates]:
    """Choose distinct slices and return their predicates."""
    pairs = opened.assessor.family.layout.predicates
    return [
        tuple(pair for i in finding.ids if (pair := pairs[i]) is not None)
        for finding in find_distinct(opened.assessor, opened.full, top=None)
    ]


def measure_recovery(
    *, shape: Shape, n: int, lift: float, tables: int, kind: str = "binary", base: float = 0.1,
    clustered: bool = False, seed: int = 0,
) -> Recovery:  # fmt: skip
    """Compare what is found with what was planted, table by table."""
    total = Recovery(0, 0, 0, 0, 0, 0, 0, 0, 0)
    for number in range(seed, seed + tables):
        world = draw_world(number, n, shape=shape, lift=lift, base=base, clustered=clustered)
        errors = draw_errors(world, number, kind=kind)
        opened = open_table(world.table, errors, cluster_ids=world.cluster_ids, seed=number)
        total = total.add(_compare(world, opened, name_findings(opened), base, lift))
    return total


def _compare(
    world: World, opened: Opened, names: list[Predicates], base: float, lift: float
) -> Recovery:
    found = [world.members(name) for name in names]
    planted = [world.members(name) for name in world.slices]
    shared = np.array([[_jaccard(a, b) for b in planted] for a in found])
    shared = shared.reshape(len(found), len(planted)) >= _HALF
    evident, beside = _ask_oracle(world, opened)
    return Recovery(
        tables=1, planted=len(planted), findings=len(names),
        found=int(shared.any(axis=0).sum()), right=int(shared.any(axis=1).sum()),
        exact=len(set(names) & set(world.slices)),
        empty=sum(bool(world.rate[rows].mean() < base + lift / 10) for rows in found),
        evident=evident, beside=beside,
    )  # fmt: skip


def _jaccard(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _ask_oracle(world: World, opened: Opened) -> tuple[int, int]:
    """Count the planted slices that are significant, and those that are beside the others."""
    full, assessor = opened.full, opened.assessor
    rows, direction = assessor.discovery.rows, assessor.discovery.search.options.direction
    positions = [opened.find(name) for name in world.slices]
    known = [position for position in positions if position is not None]
    evident = beside = 0
    for position in known:
        if assessor.family.q[position] >= LEVEL and not full.is_significant(position, LEVEL):
            continue
        evident += 1
        others = [opened.members(other) for other in known if other != position]
        z = score_beside(
            rows.losses, rows.cluster_ids, opened.members(position), others, direction=direction
        )
        beside += full.is_rare(z, LEVEL)
    return evident, beside


def measure_null(
    *, kind: str, rate: float, n: int, tables: int, clustered: bool, seed: int = 0
) -> int:
    """Count the tables with any finding where errors have nothing to do with attributes.

    kind, rate: as `draw_errors` has them, of errors with the same expectation everywhere.
    """
    any_finding = 0
    for number in range(seed, seed + tables):
        world = draw_world(
            number, n, shape="apart", lift=0.0, base=rate, clustered=clustered, planted=False
        )
        errors = draw_errors(world, number, kind=kind)
        opened = open_table(
            world.table, errors, cluster_ids=world.cluster_ids, seed=number, support=0.01
        )
        any_finding += bool(name_findings(opened))
    return any_finding


def measure_calibration(
    *, kind: str, base: float, lift: float, n: int, tables: int, shape: Shape = "apart",
    clustered: bool = False, seed: int = 0,
) -> int:  # fmt: skip
    """Count the tables in which another slice beside the planted ones is significant for a step."""
    rejected = 0
    for number in range(seed, seed + tables):
        world = draw_world(number, n, shape=shape, lift=lift, base=base, clustered=clustered)
        errors = draw_errors(world, number, kind=kind)
        opened = open_table(world.table, errors, cluster_ids=world.cluster_ids, seed=number)
        positions = [p for name in world.slices if (p := opened.find(name)) is not None]
        remaining = np.ones(n, np.bool_)
        for position in positions:
            remaining &= ~opened.members(position)
        left = opened.assessor.assess(remaining, most=399)
        statistic = left.statistic.copy()
        statistic[positions] = -np.inf
        rejected += left.is_significant(int(np.argmax(statistic)), FORWARD)
    return rejected
