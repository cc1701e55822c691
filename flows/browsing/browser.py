"""One snapshot with what was computed of it: masks, orders and evidence, kept for the next page."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import numpy as np
import polars as pl

from flows.browsing.near_vectors import NearVectors, open_near
from flows.browsing.snapshots.snapshot import Snapshot, SnapshotSystem
from pipeline.arrays import Mask
from pipeline.browsing.choice_evidence import ChoiceEvidence, weigh_choice
from pipeline.browsing.conditions import parse_condition
from pipeline.browsing.sample_orders import Order, order_rows
from pipeline.workspace.store import Store

T = TypeVar("T")
_KEPT = 48  # results of one kind; a mask of a million samples has 1 MB, an order 4 MB


class Browser:
    """Answers from one snapshot; several threads may ask at a time.

    keep: whether vectors of texts that are searched for are kept in the workspace.
    """

    def __init__(self, snapshot: Snapshot, store: Store, *, keep: bool = True) -> None:
        self.snapshot = snapshot
        self.store = store
        self._keep = keep
        self._kept: dict[str, OrderedDict[Hashable, object]] = {}
        self._lock = threading.Lock()
        self._near: NearVectors | None = None
        self._opening = threading.Lock()

    def select(self, where: str, system: SnapshotSystem | None) -> Mask:
        """Return (n,) which samples fit a condition; raises ConditionError for no condition."""
        key = (where.strip(), system.name if system else "")
        return self.remember("masks", key, lambda: self._select(where, system))

    def _select(self, where: str, system: SnapshotSystem | None) -> Mask:
        expression = parse_condition(where, self.snapshot.list_columns(system))
        frame = self.snapshot.samples.select(fits=expression)
        fits: Mask = frame["fits"].to_numpy()
        if len(fits) == 1 and self.snapshot.samples.height != 1:  # a literal
            fits = np.full(self.snapshot.samples.height, fits[0])
        return fits

    def names_error(self, where: str, system: SnapshotSystem | None) -> bool:
        """Return whether a condition names an error; raises ConditionError for no condition."""
        expression = parse_condition(where, self.snapshot.list_columns(system))
        return any(name.startswith("error.") for name in expression.meta.root_names())

    def order(self, column: str, *, descending: bool) -> Order:
        """Return the rows of the snapshot in the order of a column, ties by sample_id."""
        series = self.snapshot.samples[column]
        if isinstance(series.dtype, pl.Enum):
            series = series.to_physical()
        return self.remember(
            "orders", (column, descending), lambda: order_rows(series, descending=descending)
        )

    def weigh(self, key: Hashable, chosen: Mask, system: SnapshotSystem) -> ChoiceEvidence:
        """Return the evidence of the chosen samples; key: names what chose them."""

        def compute() -> ChoiceEvidence:
            values, known = self.snapshot.read_errors(system)
            return weigh_choice(values, known, chosen)

        return self.remember("evidence", (key, system.name), compute)

    def weigh_held_out(
        self, key: Hashable, chosen: Mask, system: SnapshotSystem
    ) -> ChoiceEvidence | None:
        """Return the evidence in the samples that the last search held out; None without any."""
        name = f"held_out.{system.name}"
        if name not in self.snapshot.samples.columns:
            return None
        half = (self.snapshot.samples[name] == "yes").to_numpy()

        def compute() -> ChoiceEvidence:
            values, known = self.snapshot.read_errors(system)
            return weigh_choice(values, known & half, chosen & half)

        return self.remember("held out", (key, system.name), compute)

    @property
    def near(self) -> NearVectors:
        """The vectors of the samples; raises StoreError where there are none."""
        with self._opening:
            if self._near is None:
                self._near = open_near(self.snapshot, self.store, keep_texts=self._keep)
            return self._near

    def remember(self, kind: str, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what `compute` gives, kept for the next call of its kind and key."""
        with self._lock:
            kept = self._kept.setdefault(kind, OrderedDict())
            if key in kept:
                kept.move_to_end(key)
                return cast("T", kept[key])
        made = compute()
        with self._lock:
            kept[key] = made
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        return made
