"""Slices that are no findings, but worth checking: wrong labels may hide what they do there."""

from collections.abc import Sequence

import polars as pl

from pipeline.slices.corrected_findings import correct_predicates
from pipeline.slices.hidden_slices import MOST_LEVELS, find_hidden_slices
from pipeline.slices.known_labels import KnownLabels
from pipeline.slices.options import count_support
from pipeline.slices.probable_slices import find_probable_slices
from pipeline.slices.soft_labels.stepwise import name_slice


def list_worth_checking(
    known: KnownLabels,
    findings: pl.DataFrame,
    *,
    counted: int,
    exclusive: Sequence[Sequence[str]] = (),
    max_level: int = MOST_LEVELS,
    min_support: float = 30,
    alpha: float = 0.95,
    top: int = 10,
    seed: int = 0,
) -> pl.DataFrame:
    """Return CORRECTIONS of at most `top` slices.

    Those whose corrected difference is above 0 come first, see `find_hidden_slices`, which has the
    same arguments. Others have errors that rise with the probability of belonging to them, see
    `find_probable_slices`; their corrected interval may reach 0, as `checks_needed` says, but
    has a part above. Of these, slices inside a finding that are no weaker than it come last.
    """
    hidden = find_hidden_slices(
        known, findings, counted=counted, exclusive=exclusive, max_level=max_level,
        min_support=min_support, alpha=alpha, top=top, seed=seed,
    )  # fmt: skip
    if not known.has_truth:
        return hidden
    support = count_support(min_support, len(known.errors))
    probable = find_probable_slices(
        known,
        findings["predicates"].to_list(),
        exclusive=exclusive,
        max_level=max_level,
        min_support=max(support, 1.0),
        top=top,
        seed=seed,
    )
    listed = {name_slice(one) for one in hidden["predicates"]}
    further = [one.predicates for one in probable if name_slice(one.predicates) not in listed]
    corrected = correct_predicates(known, further, seed=seed)
    return pl.concat([hidden, corrected.filter(pl.col("corrected_difference_high") > 0)]).head(top)
