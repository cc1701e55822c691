"""The true values that labels are judged by: those of the dataset, else what people checked."""

import polars as pl

from pipeline.tables import Schema, check
from pipeline.vocabulary import UNKNOWN
from pipeline.workspace.kept_checks import read_checks
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


def summarize_checks(checks: pl.DataFrame) -> pl.DataFrame:
    """Return KNOWN_TRUTH: one true value per sample and attribute, by the majority of checkers.

    checks: CHECKS, one answer of each checker. Ties are left out, as are samples of which no
    checker named a value: "cannot say", just "wrong", or that "unknown" is right.
    """
    named = checks.filter(pl.col("value").is_not_null() & (pl.col("value") != UNKNOWN))
    votes = named.group_by(*_KEYS, "value").agg(
        votes=pl.len(), inclusion=pl.col("inclusion").max(), draw=pl.col("draw").last()
    )
    most = pl.col("votes").max().over(_KEYS)
    won = votes.filter(pl.col("votes") == most)
    won = won.filter(pl.len().over(_KEYS) == 1)
    return check(won.select(list(KNOWN_TRUTH)), KNOWN_TRUTH, table="known truth").sort(_KEYS)


def read_known_truth(store: Store, label_manifest: LabelManifest) -> pl.DataFrame:
    """Return KNOWN_TRUTH of the samples that the workspace holds.

    An attribute has one source: [dataset.truth] where the audit has it (inclusion 1), else the
    checks. Inclusion of checks is fitted to the labels that the manifest names, see
    `fit_inclusion`. Raises StoreError when the workspace cannot be read.
    """
    sample_ids = store.read_samples()["sample_id"]
    here = pl.col("sample_id").is_in(sample_ids.implode())
    truth = store.read_labels(list(label_manifest.truth.values()))
    known = truth.filter(here & (pl.col("value") != UNKNOWN)).select(
        *_KEYS, "value", inclusion=pl.lit(1.0), draw=pl.lit(TRUTH_DRAW)
    )
    checked = summarize_checks(read_checks(store.folder)).filter(
        here & ~pl.col("attribute").is_in(list(label_manifest.truth))
    )
    label_ids = [one.label_id for one in label_manifest.attributes]
    labels = store.read_labels(label_ids).filter(here)
    fitted = fit_inclusion(checked, labels)
    return pl.concat([check(known, KNOWN_TRUTH, table="known truth"), fitted]).sort(_KEYS)


def fit_inclusion(known: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return checked values with inclusions that add up to the labels as they are now.

    known: KNOWN_TRUTH of checks, inclusion null where a sample was not drawn here. labels: LABELS
    of the samples; checks of others are left out. Within an attribute and label of N samples, j
    checked ones without and r with an inclusion p, the j are taken as random: they have inclusion
    (r + j) / N, the others p (r + j) / r. Then all are divided by one number so that their inverses
    add up to N (poststratification: Holt and Smith 1979, J. R. Stat. Soc. A 142), which also makes
    up for samples of which no true value could be said. No inclusion exceeds 1.
    """
    sizes = labels.group_by("attribute", label="value").agg(size=pl.len())
    rows = known.join(labels.select(*_KEYS, label="value"), on=_KEYS).join(
        sizes, on=["attribute", "label"]
    )
    over = ("attribute", "label")
    drawn = pl.col("inclusion").is_not_null()
    rows = rows.with_columns(n=pl.len().over(over), r=drawn.sum().over(over))
    rows = rows.with_columns(
        inclusion=pl.when(drawn)
        .then(pl.col("inclusion") * pl.col("n") / pl.col("r"))
        .otherwise(pl.col("n") / pl.col("size"))
    )
    factor = (1 / pl.col("inclusion")).sum().over(over) / pl.col("size")
    rows = rows.with_columns(inclusion=(pl.col("inclusion") * factor).clip(upper_bound=1.0))
    return check(rows.select(list(KNOWN_TRUTH)), KNOWN_TRUTH, table="known truth").sort(_KEYS)
