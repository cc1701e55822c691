"""Third stage: every attribute gives its samples a value; only what is missing is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from prefect import flow

from flows.run.logs import LOG, show_progress
from flows.run.tasks import shard_task
from flows.stages.encoders import LoadEncoder
from flows.stages.labellers import Labeller, make_labellers
from flows.stages.plan import read_audit_attributes
from flows.stages.samples import load_samples
from pipeline.config.audit import Audit
from pipeline.labels.given import select_targets
from pipeline.labels.truth import read_truth
from pipeline.tables import LABELS, Vectors, empty
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store, open_store

BLOCK = 16_384  # samples labelled at a time: their vectors fit in memory whatever the dataset
PLAIN_BLOCK = 262_144  # without vectors; each block is one write of the database


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
    labelled = label_all(
        sample_set.samples, list_works(labellers, sample_set.samples, store), store
    )
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


def list_works(labellers: Sequence[Labeller], samples: pl.DataFrame, store: Store) -> list[Work]:
    """Return for each labeller the samples of its kind that have no label of it yet."""
    works = []
    for labeller in labellers:
        targets = select_targets(samples, labeller.attribute)
        missing = store.missing_labels(targets["sample_id"], labeller.label_id)
        works.append(Work(labeller, missing))
    return works


def label_rows(
    block: pl.DataFrame, lacking: pl.DataFrame, works: Sequence[Work], store: Store
) -> pl.DataFrame:
    """Return the labels that the samples of `block` lack, of every attribute.

    lacking: for each work a column that tells which rows of the block lack its label.
    """
    vectors: Vectors | None = None
    found = [empty(LABELS)]
    for work, lacks in zip(works, lacking.iter_columns(), strict=True):
        rows = block.filter(lacks)
        if rows.is_empty():
            continue
        encoder_id = work.labeller.encoder_id
        if encoder_id and vectors is None:
            vectors = read_vectors(
                block["content_key"].unique().sort(), store.embeddings, encoder_id=encoder_id
            )
        found.append(work.labeller.label(rows, vectors))
    return pl.concat(found)


label_block = shard_task(name="label block")(label_rows)


def label_all(
    samples: pl.DataFrame,
    works: Sequence[Work],
    store: Store,
    *,
    label: Callable[..., pl.DataFrame] = label_block,
    size: int | None = None,
) -> int:
    """Label block by block; return how many samples got a label.

    label: makes the labels of one block; a task by default. size: samples in a block.
    """
    ordered = samples.sort("content_key")
    lacking = ordered.select(
        pl.col("sample_id").is_in(work.missing.implode()).alias(f"{place}")
        for place, work in enumerate(works)
    )
    wanted = lacking.select(pl.any_horizontal(pl.all())).to_series()
    rows, lacking = ordered.filter(wanted), lacking.filter(wanted)
    if size is None:
        size = BLOCK if any(work.labeller.encoder_id for work in works) else PLAIN_BLOCK
    labelled = 0
    with show_progress("label", rows.height) as advance:
        for block, lacks in zip(rows.iter_slices(size), lacking.iter_slices(size), strict=True):
            labels = label(block, lacks, works, store)
            store.put_labels(labels)
            labelled += labels["sample_id"].n_unique()
            advance(block.height)
    return labelled


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
