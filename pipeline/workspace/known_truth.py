"""The true values that labels are judged by: those of the dataset, else what people checked."""

from collections.abc import Mapping

import polars as pl

from pipeline.tables import Schema, check
from pipeline.vocabulary import UNKNOWN, WRONG
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store

TRUTH_DRAW = "truth"  # the draw of values that are known of the whole dataset
KNOWN_TRUTH: Schema = {  # one row a sample and attribute whose true value is known
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "value": pl.String(),
    "inclusion": pl.Float64(),  # probability that the value is known, greater than 0
    "draw": pl.String(),  # truth | value | finding | imported
}
_KEYS = ("sample_id", "attribute")
_LABEL = ("attribute", "label")


def summarize_checks(checks: pl.DataFrame) -> pl.DataFrame:
    """Return KNOWN_TRUTH: one true value per sample and attribute, by the majority of checkers.

    checks: CHECKS, one answer of each checker. A value needs more votes than any other, and than
    there are answers "wrong" to it that name no other. Samples without such a value are left out:
    ties, "cannot say", or that "unknown" is right.
    """
    votes = _count_votes(checks)
    most = pl.col("votes") == pl.col("votes").max().over(_KEYS)
    won = votes.filter(most & (pl.col("votes") > pl.col("denials")))
    won = won.filter(pl.len().over(_KEYS) == 1)
    return check(won.select(list(KNOWN_TRUTH)), KNOWN_TRUTH, table="known truth").sort(_KEYS)


def list_denied(checks: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of which most checkers said just "wrong", and no true value is known.

    checks: CHECKS. Returns KNOWN_TRUTH with null values, and the column `denied`: the label.
    """
    known = summarize_checks(checks)
    denied = _count_votes(checks).filter(pl.col("denials") > pl.col("votes"))
    denied = denied.join(known, on=_KEYS, how="anti").rename({"value": "denied"})
    return denied.select(
        *_KEYS, "denied", value=pl.lit(None, dtype=pl.String), inclusion="inclusion", draw="draw"
    ).sort(*_KEYS, "denied")


def _count_votes(checks: pl.DataFrame) -> pl.DataFrame:
    """Return votes for and denials of each value that a checker named or denied of a sample."""
    is_denial = (pl.col("answer") == WRONG) & pl.col("value").is_null()
    meant = checks.with_columns(is_denial=is_denial).with_columns(
        value=pl.when("is_denial").then("shown").otherwise("value")
    )
    meant = meant.filter(pl.col("value").is_not_null() & (pl.col("value") != UNKNOWN))
    return meant.group_by(*_KEYS, "value").agg(
        votes=(~pl.col("is_denial")).sum(),
        denials=pl.col("is_denial").sum(),
        inclusion=pl.col("inclusion").max(),
        draw=pl.col("draw").last(),
    )


def read_known_truth(store: Store, label_manifest: LabelManifest) -> pl.DataFrame:
    """Return KNOWN_TRUTH of the samples that the workspace holds.

    An attribute has one source: [dataset.truth] where the audit has it (inclusion 1), else the
    checks. Inclusion of checks is fitted to the labels that the manifest names, see
    `fit_inclusion`. Raises StoreError when the workspace cannot be read.
    """
    sample_ids = store.read_samples()["sample_id"]
    here = pl.col("sample_id").is_in(sample_ids.implode())
    known = read_true_values(store, label_manifest.truth).filter(here)
    checks = read_checks(store.folder)
    checks = checks.filter(here & ~pl.col("attribute").is_in(list(label_manifest.truth)))
    if checks.is_empty():  # no label needs to be read, of which there may be many millions
        return known.sort(_KEYS)
    label_ids = [one.label_id for one in label_manifest.attributes]
    labels = store.read_labels(label_ids).filter(here)
    fitted = fit_inclusion(summarize_checks(checks), labels, denied=list_denied(checks))
    return pl.concat([known, fitted]).sort(_KEYS)


def read_true_values(store: Store, truth: Mapping[str, str]) -> pl.DataFrame:
    """Return KNOWN_TRUTH of the values of [dataset.truth]; truth: attribute -> their label_id."""
    values = store.read_labels(list(truth.values())).filter(pl.col("value") != UNKNOWN)
    known = values.select(*_KEYS, "value", inclusion=pl.lit(1.0), draw=pl.lit(TRUTH_DRAW))
    return check(known, KNOWN_TRUTH, table="known truth")


def fit_inclusion(
    known: pl.DataFrame, labels: pl.DataFrame, *, denied: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return checked values with inclusions that add up to the labels as they are now.

    known: KNOWN_TRUTH of checks, inclusion null where a sample was not drawn here. labels: LABELS
    of the samples; checks of others are left out. denied: as `list_denied` returns them. Within an
    attribute and label of N samples:

    j without and r with an inclusion p: the j are taken as random, with inclusion (r + j) / N, the
    others have p (r + j) / r. Denied labels are as wrong as those whose true value is known, which
    take over their weight; without one of these no check of the label is used, for the others would
    say that it is always right. Then all are divided by one number so that their inverses add up to
    N (poststratification: Holt and Smith 1979, J. R. Stat. Soc. A 142), which also makes up for
    samples of which nothing could be said. No inclusion exceeds 1.
    """
    rows = _weigh(known, labels, denied)
    mistaken = pl.col("value") != pl.col("label")  # null of those denied
    weight = 1 / pl.col("inclusion")
    rows = rows.with_columns(
        wrong=weight.filter(mistaken).sum().over(_LABEL),
        denied=weight.filter(pl.col("value").is_null()).sum().over(_LABEL),
    ).filter((pl.col("denied") == 0) | (pl.col("wrong") > 0))
    share = pl.col("wrong") / (pl.col("wrong") + pl.col("denied"))
    rows = rows.with_columns(
        inclusion=pl.col("inclusion") * pl.when(mistaken).then(share).otherwise(1.0)
    ).drop_nulls("value")
    factor = (1 / pl.col("inclusion")).sum().over(_LABEL) / pl.col("size")
    rows = rows.with_columns(inclusion=(pl.col("inclusion") * factor).clip(upper_bound=1.0))
    return check(rows.select(list(KNOWN_TRUTH)), KNOWN_TRUTH, table="known truth").sort(_KEYS)


def find_unusable(checks: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of which checks say just "wrong" and none what is true instead.

    checks, labels: CHECKS and LABELS. Returns attribute, label and n, the samples denied, sorted.
    """
    rows = _weigh(summarize_checks(checks), labels, list_denied(checks))
    counts = rows.group_by(_LABEL).agg(
        n=pl.col("value").null_count(), wrong=(pl.col("value") != pl.col("label")).sum()
    )
    unusable = counts.filter((pl.col("n") > 0) & (pl.col("wrong") == 0))
    return unusable.select(*_LABEL, "n").sort(_LABEL)


def _weigh(known: pl.DataFrame, labels: pl.DataFrame, denied: pl.DataFrame | None) -> pl.DataFrame:
    """Return what is known and what is denied, with label, size and an inclusion for each row."""
    sizes = labels.group_by("attribute", label="value").agg(size=pl.len())
    current = labels.select(*_KEYS, label="value").join(sizes, on=_LABEL)
    rows = known.join(current, on=_KEYS)
    if denied is not None:
        open_ = denied.join(current, on=_KEYS).filter(pl.col("denied") == pl.col("label"))
        rows = pl.concat([rows, open_.select(rows.columns)])
    drawn = pl.col("inclusion").is_not_null()
    n, r = pl.len().over(_LABEL), drawn.sum().over(_LABEL)
    inclusion = pl.when(drawn).then(pl.col("inclusion") * n / r).otherwise(n / pl.col("size"))
    return rows.with_columns(inclusion=inclusion)
