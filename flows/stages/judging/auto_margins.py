"""`min_margin = "auto"`: the margins of an attribute, chosen from samples whose truth is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.arrays import Vectors
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.quality.ensembles import Weighed, weigh_ensemble
from pipeline.labels.quality.judged_labels import weigh_inclusion
from pipeline.labels.quality.thresholds import (
    MarginedLabels,
    Threshold,
    choose_margin,
    list_margins,
    list_never_given,
)
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.known_truth import read_known_truth, summarize_checks
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.sample_vectors import read_sample_vectors
from pipeline.workspace.store import Store

MOST_JUDGED = 20_000  # samples that margins are chosen from; sample_ids are hashes, so any are


@dataclass(frozen=True)
class Margins:
    """The margin of each value of an attribute, in order, and what to say of them.

    margins: infinite where a value is never given; None where nothing could be chosen.
    """

    margins: tuple[float, ...] | None
    notes: tuple[str, ...] = ()


def read_margin_truth(
    attributes: Iterable[Attribute], store: Store, truth: Mapping[str, str]
) -> pl.DataFrame | None:
    """Return KNOWN_TRUTH where margins are to be chosen by it, None where no attribute asks.

    truth: attribute -> label_id of its true values. Inclusions of checks are those of their draw,
    not fitted to the labels: these depend on the margins, and the margins on the inclusions.
    """
    if all(attribute.min_margin != "auto" for attribute in attributes):
        return None
    known = read_known_truth(store, LabelManifest(attributes=(), truth=truth))
    checked = summarize_checks(read_checks(store.folder))
    return pl.concat([known, checked.filter(~pl.col("attribute").is_in(list(truth)))])


def choose_margins(
    attribute: Attribute,
    known: pl.DataFrame | None,
    samples: pl.DataFrame,
    prompts: Vectors,
    store: Store,
    *,
    logit_scale: float,
) -> Margins:
    """Choose for each value the least margin that gives its labels the wanted precision.

    known: true values as `read_margin_truth` returns them. samples: the `samples` table. prompts:
    vectors by text. Without true values and checks nothing is chosen, and no label is left out.
    """
    wanted = attribute.wanted_precision
    rows = _select_judged(attribute, known, samples)
    vectors = read_sample_vectors(store, rows, encoder_id=prompts.encoder_id)
    if wanted is None or not len(vectors.keys):
        reason = f'{attribute.name}: min_margin = "auto" needs true values or checks'
        return Margins(None, (f"{reason}; there are none, so no label is left unknown",))
    weighed = weigh_ensemble(
        attribute, vectors, prompts, sample_ids=vectors.keys, logit_scale=logit_scale
    )
    thresholds = find_thresholds(weighed, rows, wanted=wanted)
    return Margins(list_margins(thresholds), list_never_given(thresholds, attribute=attribute.name))


def _select_judged(
    attribute: Attribute, known: pl.DataFrame | None, samples: pl.DataFrame
) -> pl.DataFrame:
    """Return the samples whose true value is known, with it, its inclusion and cluster_id."""
    samples = samples.with_columns(cluster_id=pl.coalesce("parent_id", "sample_id"))
    if known is None:
        return samples.clear()
    own = known.filter(pl.col("attribute") == attribute.name).sort("sample_id").head(MOST_JUDGED)
    return samples.join(own.select("sample_id", "value", "inclusion"), on="sample_id")


def find_thresholds(weighed: Weighed, rows: pl.DataFrame, *, wanted: float) -> list[Threshold]:
    """Return the threshold of each value, in order.

    rows: sample_id, the true value, inclusion and cluster_id, among them of the weighed samples.
    """
    known = pl.DataFrame({"sample_id": weighed.sample_ids}).join(
        rows.select("sample_id", "value", "inclusion", "cluster_id"),
        on="sample_id",
        how="left",
        maintain_order="left",
    )
    right = (known["value"] == weighed.labels["value"]).to_numpy()
    weights = weigh_inclusion(known["inclusion"])
    found = []
    for code, value in enumerate(weighed.values):
        own = weighed.best == code
        labels = MarginedLabels(
            margins=weighed.margin[own],
            right=right[own],
            weights=weights[own],
            cluster_ids=known["cluster_id"].filter(pl.Series(own)),
        )
        found.append(choose_margin(labels, value=value, wanted=wanted))
    return found
