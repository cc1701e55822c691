"""What a search counted and could have found: the numbers that a report shows beside findings."""

from dataclasses import dataclass

import numpy as np

from pipeline.slices.evidence.detectable_gap import detectable_gap
from pipeline.slices.evidence.discovery import Discovery
from pipeline.slices.search import SearchResult

_SHARES = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5)


@dataclass(frozen=True)
class SearchNotes:
    """How a search went; sizes are rows, errors are in the units given.

    >>> import polars as pl
    >>> from pipeline.slices import audit_slices
    >>> notes = audit_slices(pl.DataFrame({"hat": ["yes", "no"] * 50}), [0.0] * 100).search
    >>> notes.engine, notes.slices, notes.complete, notes.detectable_gap
    ('cube', 2, True, None)
    """

    n: int  # rows searched (the discovery half, when some are held out)
    holdout_n: int
    error: float  # their mean error
    engine: str
    reason: str  # why this engine, with its estimated size
    attributes: tuple[str, ...]  # that can be in a slice
    ordered: tuple[str, ...]  # of those: runs of adjacent values are predicates too
    min_rows: float  # rows (or weight) a slice needs
    slices: int  # counted
    complete: bool  # whether every slice with enough rows was counted
    unopened: int  # branches that a bound left out
    permutations: int  # behind p_family; 0: Bonferroni over all possible slices
    detectable_gap: float | None  # of a slice as small as allowed; None: none could be shown
    detectable_gaps: tuple[tuple[float, float | None], ...]  # by the slice's share of the rows
    mostly_wrong: bool  # mean error above one half: lift and score can rank little

    def sentences(self) -> tuple[str, ...]:
        """Return what was searched and what could have been found."""
        kind = (
            f"{self.slices:,} slices of {len(self.attributes)} attributes over {self.n:,} samples"
        )
        parts = [f"Counted {kind} with the {self.engine} engine: {self.reason}."]
        if self.ordered:
            names = ", ".join(self.ordered)
            parts.append(f"Runs of adjacent values count as values too, of {names}.")
        if not self.complete:
            parts.append("Not every slice was counted: q speaks of the counted ones.")
        parts.append(self._describe_power())
        if self.mostly_wrong:
            parts.append(
                f"The mean error is {self.error:.2f}: above one half the score can rank little; "
                "compare success rates instead."
            )
        return tuple(parts)

    def _describe_power(self) -> str:
        """Return which differences would have been found in small slices and in large ones."""
        least_size = max(self.min_rows, 2.0)
        smallest = [(least_size, self.detectable_gap)]
        sizes = smallest + [(share * self.n, gap) for share, gap in self.detectable_gaps]
        shown = [(size, gap) for size, gap in sizes if gap is not None and size >= least_size]
        if not shown:
            return (
                "No difference would have been found four times in five, whatever its size: the "
                "samples are too few, or their errors too much alike."
            )
        (size, gap), (large, least) = shown[0], shown[-1]
        sentence = (
            f"Would have been found four times in five: a difference of {gap:.3g} in a slice of "
            f"{size:,.0f} samples, of {least:.3g} in one of {large:,.0f}."
        )
        return (
            sentence if shown[0] == smallest[0] else sentence + " Smaller slices could show none."
        )


def write_notes(
    discovery: Discovery, counted: SearchResult, *, holdout_n: int, permutations: int
) -> SearchNotes:
    """Collect what is known after a search."""
    search, losses = discovery.search, discovery.rows.losses
    layout = search.cells.layout
    total = search.cells.total
    n, weight = len(discovery.rows), float(total.weight[0])
    mean = float(total.total[0]) / weight
    deviation = float(np.sqrt(max(float(total.total2[0]) / weight - mean * mean, 0.0)))
    rows_per_weight = n / weight

    def gap(size: float) -> float | None:
        return detectable_gap(
            n=float(n), size=size, tests=len(counted.family), mean=mean - losses.low,
            deviation=deviation, ceiling=losses.high - losses.low, binary=losses.binary,
        )  # fmt: skip

    bounded = losses.high <= 1.0
    return SearchNotes(
        n=n,
        holdout_n=holdout_n,
        error=mean,
        engine=search.engine,
        reason=search.reason,
        attributes=layout.attributes,
        ordered=tuple(
            name for name, runs in zip(layout.attributes, layout.runs, strict=True) if len(runs)
        ),
        min_rows=search.min_weight,
        slices=len(counted.family),
        complete=search.engine == "cube",
        unopened=counted.unopened,
        permutations=permutations,
        detectable_gap=gap(max(search.min_weight * rows_per_weight, 2.0)),
        detectable_gaps=tuple((share, gap(share * n)) for share in _SHARES),
        mostly_wrong=bounded and mean > 0.5,
    )
