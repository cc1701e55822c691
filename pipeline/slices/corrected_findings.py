"""Findings as labelled, beside what is known of the labels."""

from collections.abc import Sequence

import polars as pl

from pipeline.exceptions import TableError
from pipeline.slices.known_labels import KnownLabels, Predicates
from pipeline.slices.label_noise.correction import correct_slices
from pipeline.tables import CORRECTED, CORRECTIONS, REPORTED, WEAKNESSES, check
from pipeline.vocabulary import CONFIRMED, LIKELY, UNCLEAR, UNCORRECTED

_WEIGHTED = "errors of checked labels count by weight, and are not corrected"


def correct_predicates(
    known: KnownLabels, slices: Sequence[Predicates], *, seed: int
) -> pl.DataFrame:
    """Return CORRECTIONS of slices in their order, null where no label of a slice is a model's."""
    places = [place for place, predicates in enumerate(slices) if known.concerns(predicates)]
    rows: list[dict[str, object]] = [
        dict.fromkeys(CORRECTIONS) | {"predicates": list(predicates)} for predicates in slices
    ]
    if known.weighted:
        for place in places:
            rows[place] |= {"correction": UNCORRECTED, "correction_note": _WEIGHTED}
        return check(pl.DataFrame(rows, schema=dict(CORRECTIONS)), CORRECTIONS, table="corrections")
    corrected = correct_slices(
        known.labels,
        known.errors,
        [known.name_here(slices[place]) for place in places],
        truth=known.truth,
        inclusion=known.inclusion,
        cluster_ids=known.cluster_ids,
        orders=known.orders,
        seed=seed,
    )
    for place, row in zip(places, corrected.drop("predicates").to_dicts(), strict=True):
        rows[place] |= row
    return check(pl.DataFrame(rows, schema=dict(CORRECTIONS)), CORRECTIONS, table="corrections")


def attach_corrections(findings: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """Return REPORTED: the findings with their corrections, those that labels may feign unclear.

    findings: WEAKNESSES. corrections: CORRECTIONS of the same slices in the same order, null where
    a slice needs none. A confirmed or likely finding becomes unclear where the corrected interval
    of the difference reaches down to 0: the slice as it truly is may do no worse than the others.
    Not so where the interval by labels does that already: such a finding stands out among the rows
    that the others leave, and its difference to all rows says nothing of its labels. Raises
    TableError when the two are of different slices.
    """
    found = check(findings, WEAKNESSES, table="findings")
    corrected = check(corrections, CORRECTIONS, table="corrections")
    if found["predicates"].to_list() != corrected["predicates"].to_list():
        raise TableError(
            f"corrections: {corrected.height} slices that are not the {found.height} findings in "
            "their order; correct the findings' predicates"
        )
    both = pl.concat([found, corrected.select(list(CORRECTED))], how="horizontal")
    unsettled = (
        pl.col("state").is_in([CONFIRMED, LIKELY])
        & (pl.col("corrected_difference_low") <= 0)
        & (pl.col("ci_low") > 0).fill_null(value=True)
    )
    state = pl.when(unsettled).then(pl.lit(UNCLEAR)).otherwise("state").alias("state")
    return check(both.with_columns(state), REPORTED, table="findings")
