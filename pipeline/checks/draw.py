"""Which samples a person is to check: random within each label of each attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Ints
from pipeline.checks.allocation import allocate_budget, split_by_failure
from pipeline.checks.leads import EVEN_SHARE, weigh_values
from pipeline.checks.random_order import number_samples
from pipeline.tables import Schema, check
from pipeline.vocabulary import CANNOT_SAY, UNKNOWN

DRAWN: Schema = {  # one row a sample and attribute to check, in the order to show them
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "shown": pl.String(),  # the label, "unknown" included
    "draw": pl.String(),  # value | finding
    "inclusion": pl.Float64(),  # once all that is drawn has an answer
}
STRATA: Schema = {  # one row a label of an attribute of which samples were drawn
    "attribute": pl.String(),
    "shown": pl.String(),
    "draw": pl.String(),
    "size": pl.Int64(),
    "drawn": pl.List(pl.String()),  # the first in the random order
    "asked": pl.List(pl.String()),  # those of them that have no answer yet
}
_LABEL = ("attribute", "shown")
_STRATUM = (*_LABEL, "failed")
_KEYS = ("sample_id", "attribute")


@dataclass(frozen=True)
class DrawnChecks:
    """What was drawn. rows: DRAWN, to be shown. strata: STRATA, to be kept before an answer is."""

    rows: pl.DataFrame
    strata: pl.DataFrame


def draw_checks(
    labels: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    attributes: Sequence[str],
    budget: int,
    seed: int = 0,
    per_value: int | None = None,
    findings: pl.DataFrame | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
    checks: pl.DataFrame | None = None,
    failed: pl.Series | None = None,
    draw: str = "value",
) -> DrawnChecks:
    """Draw samples at random within each label of the attributes, without those checked already.

    labels: LABELS, one of each sample and attribute. samples: those of the audit. budget: how many
    to draw in all, see `allocate_budget`; per_value draws so many of each label instead, those
    checked before included. findings: LEADS, by which the budget is divided, half of it evenly all
    the same unless `draw` is "finding"; evenly without.
    orders: values of ordered attributes. checks: CHECKS given before. failed: sample_ids on which a
    system under audit fails; those of a label and its others are strata of their own, see
    `split_by_failure`. The same seed gives the same order. Rows are in an order of which every
    beginning is divided as the whole.
    """
    here = samples.select("sample_id")
    wanted = labels.filter(pl.col("attribute").is_in(list(attributes))).join(
        here, on="sample_id", how="semi"
    )
    numbers = wanted.select("sample_id").unique(maintain_order=True)
    numbers = numbers.with_columns(number_samples(numbers["sample_id"], seed=seed))
    rows = (
        wanted.select(*_KEYS, shown="value")
        .join(numbers, on="sample_id")
        .join(_summarize_answers(checks), on=_KEYS, how="left")
        .with_columns(pl.col("answered").fill_null(value=False))
        .with_columns(failed=_mark_failed(failed))
        .sort(*_STRATUM, "number", "sample_id")
    )
    strata = _count_strata(rows, _LABEL)
    leads = None
    if findings is not None:
        even = 0.0 if draw == "finding" else EVEN_SHARE
        leads = weigh_values(strata, findings, orders=orders or {}, even=even)
    counts = _allocate(strata, leads, budget=budget, per_value=per_value)
    strata = strata.with_columns(pl.Series("new", counts, dtype=pl.Int64))
    return _take(
        rows, _split(_count_strata(rows, _STRATUM), strata).with_columns(draw=pl.lit(draw))
    )


def draw_again(
    labels: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    attributes: Sequence[str],
    checker: str,
    budget: int,
    checks: pl.DataFrame,
    seed: int = 0,
) -> DrawnChecks:
    """Draw from the samples that others checked and `checker` did not, to measure agreement.

    As `draw_checks`; the budget is divided over labels as what was checked is.
    """
    own = checks.filter(pl.col("checker") == checker)
    others = checks.filter(pl.col("checker") != checker).join(own, on=_KEYS, how="anti")
    asked = others.unique(_KEYS, maintain_order=True).select(*_KEYS, "draw", "inclusion")
    now = labels.filter(pl.col("attribute").is_in(list(attributes)))
    rows = asked.join(now.select(*_KEYS, shown="value"), on=_KEYS)
    rows = rows.join(samples.select("sample_id"), on="sample_id", how="semi")
    rows = rows.with_columns(
        number_samples(rows["sample_id"], seed=seed), failed=pl.lit(value=False)
    )
    rows = rows.sort(*_STRATUM, "number", "sample_id")
    return DrawnChecks(
        check(_interleave(rows).head(budget).select(list(DRAWN)), DRAWN, table="drawn"),
        pl.DataFrame(schema=dict(STRATA)),
    )


def _summarize_answers(checks: pl.DataFrame | None) -> pl.DataFrame:
    """Return of each sample and attribute with an answer its true value, null where none is."""
    if checks is None:
        return pl.DataFrame(
            schema={**dict.fromkeys(_KEYS, pl.String), "truth": pl.String, "answered": pl.Boolean}
        )
    known = pl.col("value").filter(pl.col("answer") != CANNOT_SAY)
    return checks.group_by(*_KEYS, maintain_order=True).agg(
        truth=known.drop_nulls().last(), answered=pl.lit(value=True)
    )


def _mark_failed(failed: pl.Series | None) -> pl.Expr:
    """Say of each row whether a system fails on its sample, False where that is not known."""
    return pl.lit(value=False) if failed is None else pl.col("sample_id").is_in(failed.implode())


def _split(strata: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Divide the new checks of each label over its failed samples and the others.

    strata: as `_count_strata` returns them, failed ones and others. labels: attribute, shown and
    new, the checks that each label gets. Returns the strata with their own `new`.
    """
    own = strata.join(labels.select(*_LABEL, total="new"), on=_LABEL, maintain_order="left")
    new = [
        split_by_failure(label["total"][0], sizes=label["size"].to_numpy(),
                         checked=label["checked"].to_numpy())
        for _, label in own.group_by(*_LABEL, maintain_order=True)
    ]  # fmt: skip
    counts = np.concatenate(new) if new else np.zeros(0, np.int64)
    return own.with_columns(pl.Series("new", counts, dtype=pl.Int64)).drop("total")


def _count_strata(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return size, checked, known and right of each group of rows with equal keys, sorted."""
    return rows.group_by(*keys, maintain_order=True).agg(
        size=pl.len().cast(pl.Int64),
        checked=pl.col("answered").sum().cast(pl.Int64),
        known=pl.col("truth").count(),
        right=(pl.col("truth") == pl.col("shown")).sum(),
    )


def _allocate(
    strata: pl.DataFrame, weights: pl.Series | None, *, budget: int, per_value: int | None
) -> Ints:
    """Return how many new checks each stratum gets."""
    checked: Ints = strata["checked"].to_numpy()
    left: Ints = strata["size"].to_numpy() - checked
    if per_value is not None:
        more: Ints = np.minimum(np.maximum(per_value - checked, 0), left)
        return more
    right = (strata["right"].to_numpy() + 0.5) / (strata["known"].to_numpy() + 1)  # Jeffreys' prior
    right = np.where(strata["shown"].to_numpy() == UNKNOWN, 0.5, right)  # no label to be right
    return allocate_budget(
        budget,
        weights=np.ones(len(left)) if weights is None else weights.to_numpy(),
        spreads=np.sqrt(right * (1 - right)),
        checked=checked,
        left=left,
    )


def _take(rows: pl.DataFrame, strata: pl.DataFrame) -> DrawnChecks:
    """Return the first `new` unanswered rows of each stratum, and what of its order they end."""
    within = rows.join(strata.select(*_STRATUM, "new", "size", "draw"), on=_STRATUM,
                       maintain_order="left")  # fmt: skip
    unanswered = (~pl.col("answered")).cum_sum().over(_STRATUM)
    fresh = ~pl.col("answered") & (unanswered <= pl.col("new"))
    position = pl.int_range(1, pl.len() + 1).over(_STRATUM)
    within = within.with_columns(fresh=fresh, position=position)
    last = pl.col("position").filter("fresh").max().over(_STRATUM)
    within = within.filter(pl.col("position") <= last)
    kept = within.group_by(*_STRATUM, "draw", "size", maintain_order=True).agg(
        drawn="sample_id", asked=pl.col("sample_id").filter("fresh")
    )
    new = within.with_columns(inclusion=pl.len().over(_STRATUM) / pl.col("size")).filter("fresh")
    return DrawnChecks(
        check(_interleave(new).select(list(DRAWN)), DRAWN, table="drawn"),
        check(kept.select(list(STRATA)), STRATA, table="strata"),
    )


def _interleave(rows: pl.DataFrame) -> pl.DataFrame:
    """Order rows so that every beginning is divided over the strata as all rows are.

    rows: sorted by stratum and random number. Row i of the m of a stratum comes at (i + 1/2) / m.
    """
    at = (pl.int_range(pl.len()).over(_STRATUM) + 0.5) / pl.len().over(_STRATUM)
    return rows.with_columns(at=at).sort("at", *_STRATUM)
