"""What a search points at: its findings and the slices just below them, each with its share."""

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.predicates import read_predicate
from pipeline.tables import PREDICATES, Schema

NEAR = 10  # slices beside the findings that count
NEAR_SHARE = 0.25  # of all weight, what these get where there are findings
HIDDEN_SHARE = 0.5  # of all weight, what slices worth checking get where there are some
EVEN_SHARE = 0.5  # of all weight, what labels share evenly whatever the search points at
OTHER_VALUES = 0.5  # weight of the other values of an attribute, in all, beside the slice's own 1

LEADS: Schema = {
    "predicates": PREDICATES,
    "share": pl.Float64(),  # of all weight
}


def list_leads(
    findings: pl.DataFrame, family: pl.DataFrame, hidden: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return LEADS: findings with shares by their excess error, n (error - rest_error).

    findings, family: predicates, n, error and rest_error of one or several systems, the counted
    slices with their score. The NEAR best of these that do worse and are no finding count too:
    together as a quarter, or as all where nothing was found. hidden: slices worth checking, by
    their predicates; together they count as half of all, in equal parts: what earlier checks point
    at is where further ones say most.
    """
    found = findings.select("predicates", excess=_excess())
    best = family.sort("score", descending=True, nulls_last=True, maintain_order=True)
    near = best.select("predicates", excess=_excess()).filter(pl.col("excess") > 0)
    near = near.head(NEAR + found.height)
    known = found["predicates"].to_list()
    fresh = [one not in known for one in near["predicates"].to_list()]
    near = near.filter(pl.Series(fresh, dtype=pl.Boolean)).head(NEAR)
    found = found.filter(pl.col("excess") > 0)
    near_share = (NEAR_SHARE if found.height else 1.0) if near.height else 0.0
    frames = [
        one.select("predicates", share=pl.col("excess") / pl.col("excess").sum() * share)
        for one, share in ((found, 1 - near_share), (near, near_share))
    ]
    leads = pl.concat(frames)
    if hidden is None or hidden.is_empty():
        return leads
    own = HIDDEN_SHARE if leads.height else 1.0
    return pl.concat([
        leads.with_columns(pl.col("share") * (1 - own)),
        hidden.select("predicates", share=pl.lit(own / hidden.height)),
    ])  # fmt: skip


def weigh_values(
    strata: pl.DataFrame,
    leads: pl.DataFrame,
    *,
    orders: Mapping[str, Sequence[str]],
    even: float = EVEN_SHARE,
) -> pl.Series:
    """Return how strongly what is to be found and known depends on each stratum.

    strata: h rows of attribute, shown (a label value) and size (samples with that label). orders:
    values of ordered attributes. A lead adds its share to the values that it names and half of it,
    divided by size, to the others of the same attribute, which may hide samples that belong to it.
    even: the share of the weight that all strata have alike: what labels hide is where the search
    of these labels does not point, and takes some checks of every label. Returns (h,) weights that
    add up to 1, none where no lead names a stratum and even is 0.
    """
    pairs = list(strata.select("attribute", "shown").iter_rows())
    sizes = dict(zip(pairs, strata["size"], strict=True))
    weights = dict.fromkeys(pairs, 0.0)
    for predicates, share in leads.iter_rows():
        for one in predicates:
            name = one["attribute"]
            own = set(read_predicate(one["value"], orders.get(name, ())))
            others = [pair for pair in pairs if pair[0] == name and pair[1] not in own]
            total = sum(sizes[pair] for pair in others)
            for pair in others:
                weights[pair] += share * OTHER_VALUES * sizes[pair] / total
            for pair in ((name, value) for value in own):
                if pair in weights:
                    weights[pair] += share
    total = sum(weights.values())
    led = [weights[pair] / total if total else 0.0 for pair in pairs]
    mixed = [even / len(pairs) + (1 - even) * own for own in led]
    return pl.Series("weight", mixed, dtype=pl.Float64)


def _excess() -> pl.Expr:
    return pl.col("n") * (pl.col("error") - pl.col("rest_error")).fill_null(0.0)
