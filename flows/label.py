"""Third stage: every attribute gives its samples a value; only what is missing is made."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from prefect import flow

from flows.encoders import LoadEncoder
from flows.labellers import Labeller, make_labellers
from flows.logs import LOG, show_progress
from flows.plan import read_audit_attributes
from flows.retries import shard_task
from flows.samples import load_samples
from pipeline.config import Audit
from pipeline.labels.given import select_targets
from pipeline.labels.truth import read_truth
from pipeline.shards import read_vectors
from pipeline.store import Store, open_store
from pipeline.tables import LABELS, Vectors, empty

BLOCK = 16_384  # samples labelled at a time: their vectors fit in memory whatever the dataset


@dataclass(frozen=True)
class Work:
    """A labeller and the ids of the samples that lack its label."""

    labeller: Labeller
    missing: pl.Series


@flow(name="label")
def make_labels(audit: Audit, load: LoadEncoder) -> dict[str, int]:
    """Label what is not labelled yet; return counts of prompts encoded and samples labelled."""
    store = open_store(audit.workspace)
    sample_set = load_samples(store)
    attributes = read_audit_attributes(audit)
    labellers, encoded = make_labellers(attributes, audit, sample_set, store, load)
    works = []
    for labeller in labellers:
        targets = select_targets(sample_set.samples, labeller.attribute)
        missing = store.missing_labels(targets["sample_id"], labeller.label_id)
        works.append(Work(labeller, missing))
    labelled = _label_all(sample_set.samples, works, store)
    truth, gaps = _keep_truth(audit, sample_set.samples, store)
    store.write_manifest(
        "label",
        {
            "attributes": [labeller.describe() for labeller in labellers],
            "truth": truth,
            "truth_gaps": gaps,
            "encoder_id": next((one.encoder_id for one in labellers if one.encoder_id), None),
        },
    )
    LOG.info("labels: %d attributes, %s samples labelled", len(attributes), f"{labelled:,}")
    return {"prompts_encoded": encoded, "samples_labelled": labelled}


def _label_all(samples: pl.DataFrame, works: Sequence[Work], store: Store) -> int:
    """Label block by block; return how many samples got a label."""
    wanted = pl.concat([work.missing for work in works]).unique()
    rows = samples.filter(pl.col("sample_id").is_in(wanted.implode())).sort("content_key")
    labelled = 0
    with show_progress("label", rows.height) as advance:
        for block in rows.iter_slices(BLOCK):
            labels = label_block(block, works, store)
            store.put_labels(labels)
            labelled += labels["sample_id"].n_unique()
            advance(block.height)
    return labelled


@shard_task(name="label block")
def label_block(block: pl.DataFrame, works: Sequence[Work], store: Store) -> pl.DataFrame:
    """Return the labels that the samples of `block` lack, of every attribute."""
    vectors: Vectors | None = None
    found = [empty(LABELS)]
    for work in works:
        rows = block.filter(pl.col("sample_id").is_in(work.missing.implode()))
        if rows.is_empty():
            continue
        encoder_id = work.labeller.encoder_id
        if encoder_id and vectors is None:
            vectors = read_vectors(
                block["content_key"].unique().sort(), store.embeddings, encoder_id=encoder_id
            )
        found.append(work.labeller.label(rows, vectors))
    return pl.concat(found)


def _keep_truth(
    audit: Audit, samples: pl.DataFrame, store: Store
) -> tuple[dict[str, str], list[str]]:
    """Store true labels where the audit names them.

    Returns the label_id of each attribute, and in words what the file and the samples lack.
    """
    if audit.dataset.truth is None:
        return {}, []
    truth = read_truth(audit.dataset.truth, samples)
    for problem in truth.problems:
        LOG.warning(problem)
    pairs = truth.labels.select("attribute", "label_id").unique().sort("attribute").iter_rows()
    ids = dict(pairs)
    # By value: whether a file name is unique, and so names a sample, depends on the others.
    known = store.read_labels(list(ids.values()))
    new = truth.labels.join(known, on=["sample_id", "label_id", "value"], how="anti")
    store.put_labels(new)
    return ids, list(truth.problems)
