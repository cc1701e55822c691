"""How far two people who checked the same samples agree."""

from itertools import combinations

import numpy as np
import polars as pl

from pipeline.arrays import Array
from pipeline.tables import Schema, check
from pipeline.vocabulary import CANNOT_SAY, WRONG

CHECKER_AGREEMENT: Schema = {  # one row a pair of checkers and attribute with samples of both
    "attribute": pl.String(),
    "checker": pl.String(),
    "other": pl.String(),
    "n": pl.Int64(),  # samples of which both said enough to be compared
    "undecided": pl.Int64(),  # samples of both of which one said too little
    "agreement": pl.Float64(),  # share of n with the same true value; null without any
    "kappa": pl.Float64(),  # agreement beyond chance; null where chance alone gives 1
}


def measure_checkers(checks: pl.DataFrame) -> pl.DataFrame:
    """Compare each pair of checkers on the samples of an attribute that both checked.

    checks: CHECKS, one answer of each checker. Compared are true values. Just "wrong" differs from
    the label that was judged; beside any other value, or the same, it is undecided, as "cannot say"
    is. Returns CHECKER_AGREEMENT, sorted.
    """
    rows = []
    for (attribute,), own in checks.sort("attribute").group_by("attribute", maintain_order=True):
        for one, other in combinations(own["checker"].unique().sort(), 2):
            both = own.filter(checker=one).join(own.filter(checker=other), on="sample_id")
            if both.height:
                rows.append({"attribute": attribute, "checker": one, "other": other}
                            | _compare(both))  # fmt: skip
    frame = pl.DataFrame(rows, schema=dict(CHECKER_AGREEMENT))
    return check(frame, CHECKER_AGREEMENT, table="agreement of checkers")


def measure_kappa(first: Array, second: Array) -> float | None:
    """Return Cohen's kappa of two columns of n categories: (p_o - p_e) / (1 - p_e).

    Source: Cohen 1960, A coefficient of agreement for nominal scales. None without rows, and where
    chance alone gives full agreement.
    """
    if not len(first):
        return None
    observed = float(np.mean(first == second))
    chance = sum(float(np.mean(first == v) * np.mean(second == v)) for v in np.unique(first))
    return None if chance >= 1 - 1e-12 else (observed - chance) / (1 - chance)


def _compare(both: pl.DataFrame) -> dict[str, object]:
    """Return n, undecided, agreement and kappa of the samples of two checkers."""
    first, second = _categorize(both, ""), _categorize(both, "_right")
    named = both["value"].is_not_null() & both["value_right"].is_not_null()
    # "wrong" beside the very label that it denies is a disagreement, whatever the true value.
    denied = (first == "not " + both["value_right"]) | (second == "not " + both["value"])
    decided = (named | denied.fill_null(value=False)).to_numpy()
    one, other = first.to_numpy()[decided], second.to_numpy()[decided]
    return {
        "n": int(decided.sum()),
        "undecided": int((~decided).sum()),
        "agreement": float(np.mean(one == other)) if decided.any() else None,
        "kappa": measure_kappa(one, other),
    }


def _categorize(both: pl.DataFrame, end: str) -> pl.Series:
    """Return of each answer its value, "not LABEL" for just "wrong", "cannot say"."""
    is_denial = pl.col(f"answer{end}") == WRONG
    denial = pl.when(is_denial).then("not " + pl.col(f"shown{end}"))
    return both.select(pl.coalesce(pl.col(f"value{end}"), denial, pl.lit(CANNOT_SAY))).to_series()
