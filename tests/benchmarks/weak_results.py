"""Weak groups that were planted: which of them labels and checks find, and what an oracle could."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.vocabulary import CONFIRMED
from pipeline.workspace.known_truth import fit_inclusion
from tests.benchmarks.label_steps import (
    Found,
    Predicates,
    Relabelled,
    search,
    simulate_checks,
    widen,
)
from tests.benchmarks.slice_oracle import find_evident, soften_all
from tests.benchmarks.weak_worlds import BASE, Strength, WeakWorld

BUDGET = 300  # checks in all
SESSIONS = 2  # in which they are given
_SAME = 0.8  # Jaccard, from which two slices are one group
_WIDE = 0.9  # width of an interval that says nothing


@dataclass(frozen=True)
class Tally:
    """Counts over worlds of four planted groups each.

    found: named, with their true error in the interval. narrow: of these, those whose interval says
    something. surely: whose difference is above 0 with its interval. evident: to an oracle by the
    same checks. wrong: confirmed slices that are not weak. idle: such slices worth checking.
    """

    groups: int = 0
    found: int = 0
    narrow: int = 0
    surely: int = 0
    evident: int = 0
    wrong: int = 0
    idle: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(self.list_counts(), other.list_counts(), strict=True)))

    def list_counts(self) -> tuple[int, ...]:
        """Return the counts in order."""
        return (self.groups, self.found, self.narrow, self.surely, self.evident, self.wrong,
                self.idle)  # fmt: skip

    def describe(self) -> str:
        """Say it in a line."""
        return (
            f"{self.found} of {self.groups} found with the truth inside, {self.narrow} of them in "
            f"an interval narrower than {_WIDE}, {self.surely} surely worse; evident to an oracle "
            f"{self.evident}; confirmed though not weak {self.wrong}, worth checking though not "
            f"weak {self.idle}"
        )


@dataclass(frozen=True)
class WeakResult:
    """What was found from labels alone, and after checks."""

    alone: Found
    checked: Found


def find_weak(
    world: WeakWorld,
    *,
    seed: int,
    relabel_all: Callable[[pl.DataFrame, pl.DataFrame], Mapping[str, Relabelled]] | None = None,
    sessions: int = SESSIONS,
) -> WeakResult:
    """Search labels, check where that points, label again, search and correct; in sessions.

    sessions: into which the budget is divided. Each draws by what the one before found. Strata of
    all are the first labels, where an audit takes those in use.
    """
    found = alone = search(widen(world.labels, world.ids), world.errors, known=None, ids=world.ids)
    truth = world.truth.with_columns(sample_id=world.ids)
    known: pl.DataFrame | None = None
    for session in range(1, sessions + 1):
        done = 0 if known is None else known.height
        known = simulate_checks(
            world.labels, truth, budget=BUDGET * session // sessions - done, seed=seed,
            leads=found.leads, failed=world.ids.filter(pl.Series(world.errors > 0)), before=known,
        )  # fmt: skip
        found = _conclude(world, known, relabel_all)
    return WeakResult(alone, found)


def _conclude(
    world: WeakWorld,
    known: pl.DataFrame,
    relabel_all: Callable[[pl.DataFrame, pl.DataFrame], Mapping[str, Relabelled]] | None,
) -> Found:
    """Label again by checks, search and correct."""
    made = {} if relabel_all is None else relabel_all(world.labels, known)
    labels = pl.concat(one.labels for one in made.values()) if made else world.labels
    soft = {name: one.probabilities for name, one in made.items() if one.probabilities is not None}
    return search(
        widen(labels, world.ids), world.errors, known=fit_inclusion(known, labels), ids=world.ids,
        probabilities=soft,
    )  # fmt: skip


def print_strength(strength: Strength) -> None:
    """Print the errors of planted groups."""
    print(f"  error {strength[0]} in groups of level 1, {strength[1]} of level 2, {BASE} elsewhere")


def print_world(seed: int, world: WeakWorld, result: WeakResult) -> Tally:
    """Print a line for each planted group, and how many were found with the truth inside."""
    found = narrow = surely = 0
    for predicates in world.planted:
        true, _ = world.measure(predicates)
        before = result.alone.find(predicates)
        as_labelled = f"{before['error']:.3f}" if before else "  -  "
        row = find_same(world, result.checked, predicates)
        holds, above, said = judge_row(row, true)
        found += holds
        surely += holds and above
        narrow += holds and row is not None and row["corrected_high"] - row["corrected_low"] < _WIDE
        name = name_predicates(predicates)
        print(f"    seed {seed} {name:42} true {true:.3f}  labels {as_labelled}  {said}")
    known = result.checked.known
    evident = [sum(find_evident(world, known, soft=soft)) for soft in
               (None, soften_all(world, known))] if known is not None else [0, 0]  # fmt: skip
    wrong = [count_wrong(world, one.findings) for one in (result.alone, result.checked)]
    hidden = result.checked.hidden["predicates"].to_list()
    idle = sum(not world.measure(one)[1] > 0 for one in hidden)
    tally = Tally(len(world.planted), found, narrow, surely, evident[0], sum(wrong), idle)
    print(f"    seed {seed}: {tally.describe()}; by the label noise of all rows {evident[1]} are "
          f"evident; worth checking {len(hidden)}", flush=True)  # fmt: skip
    return tally


def name_predicates(predicates: Predicates) -> str:
    """Return a slice in words."""
    return " and ".join(f"{one['attribute']} = {one['value']}" for one in predicates)


def find_same(
    world: WeakWorld, found: Found, predicates: Predicates
) -> Mapping[str, Any] | None:  # fmt: skip
    """Return the row of a slice, or of the one that holds nearly the same rows by truth.

    Faces with a beard are men: whether "beard" or "beard and man" is named, the group is found.
    """
    exact = found.find(predicates)
    if exact is not None:
        return exact
    rows = [*found.findings.iter_rows(named=True), *found.hidden.iter_rows(named=True)]
    alike = [world.compare(row["predicates"], predicates) for row in rows]
    best = int(np.argmax(alike)) if alike else 0
    return rows[best] if alike and alike[best] >= _SAME else None


def judge_row(row: Mapping[str, Any] | None, true: float) -> tuple[bool, bool, str]:
    """Return whether the interval of a slice holds its error, and says it is worse, in words."""
    if row is None or row["corrected_low"] is None:
        return False, False, "not found" if row is None else "found, not corrected"
    low, high = row["corrected_low"], row["corrected_high"]
    above, holds = row["corrected_difference_low"] > 0, low <= true <= high
    how = "found" if "state" in row else "worth checking"
    words = [how, "" if above else "but unclear", f"[{low:.3f}, {high:.3f}]",
             "" if holds else "misses the truth"]  # fmt: skip
    return holds, above, " ".join(filter(None, words))


def count_wrong(world: WeakWorld, findings: pl.DataFrame) -> int:
    """Count confirmed findings, not unclear ones, whose true slice does no worse than the rest."""
    rows = findings.filter(state=CONFIRMED)
    if "corrected_difference_low" in rows.columns:
        rows = rows.filter(pl.col("corrected_difference_low") > 0)
    return sum(not world.measure(row)[1] > 0 for row in rows["predicates"].to_list())
