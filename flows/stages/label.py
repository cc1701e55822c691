"""Every attribute gives its samples a value; only what is missing is made."""

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from flows.run.loaded_models import LoadEncoder
from flows.run.logs import LOG, advance_progress, show_progress
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, RunTasks, call_task, call_tasks
from flows.run.staleness import hash_dataset, hash_encoder, hash_probes, hash_truth
from flows.stages.judging.auto_margins import read_margin_truth
from flows.stages.labellers import make_labellers
from flows.stages.probes import (
    ChosenLabeller,
    choose_labellers,
    list_teachable,
    read_known_values,
)
from pipeline.config.audit import Audit
from pipeline.errors.scored import scored_samples
from pipeline.labels.attribute_file import hash_attribute
from pipeline.labels.given import select_targets
from pipeline.labels.labellers import Labeller, ProbeLabeller, PromptLabeller, label_missing
from pipeline.labels.truth import read_truth
from pipeline.samples.sample_set import SampleSet
from pipeline.vocabulary import CLUSTER
from pipeline.workspace.kept.kept_clusters import carry_clusters
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest, SamplesManifest
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store
from pipeline.workspace.stored_labels import count_labels, list_unlabelled

BLOCK = 16_384  # samples labelled at a time: their vectors fit in memory whatever the dataset
PLAIN_BLOCK = 262_144  # without vectors; each block is one write of the database


def make_labels(
    resolved: ResolvedAudit,
    store: Store,
    *,
    load: LoadEncoder,
    run_task: RunTask = call_task,
    run_tasks: RunTasks = call_tasks,
) -> dict[str, int]:
    """Label what is not labelled yet; return counts of prompts encoded and samples labelled.

    Where true values of an attribute with prompts are known, a probe may label it instead.
    """
    sample_set = read_sample_set(store)
    truth, gaps = _put_truth(resolved.audit, sample_set.samples, store)
    known = read_margin_truth(resolved.attributes, store, truth)
    labellers, encoded = make_labellers(
        resolved, sample_set, store, known=known, load=load, run_task=run_task
    )
    chosen, first = _choose(
        resolved.audit, labellers, sample_set, truth, store, run_tasks=run_tasks
    )
    labelled = label_all(
        sample_set.samples, [one.labeller for one in chosen], store, run_tasks=run_tasks
    )
    labelled = max(labelled, first)
    for one in chosen:
        if one.note:
            LOG.info("%s: %s", one.labeller.attribute.name, one.note)
    encoder_id = next((one.encoder_id for one in labellers if one.encoder_id), None)
    carried = _carry_clusters(resolved, sample_set, store, encoder_id)
    LabelManifest(
        attributes=(*map(_describe, chosen), *carried),
        truth=truth,
        truth_gaps=gaps,
        encoder_id=encoder_id,
        probes_asked=hash_probes(resolved.audit),
        truth_asked=hash_truth(resolved.audit.dataset),
        encoder_asked=hash_encoder(resolved.audit),
        dataset_asked=hash_dataset(resolved.audit.dataset),
        limit=SamplesManifest.read(store.folder).limit,
    ).write(store.folder)
    LOG.info("labels: %d attributes, %s samples labelled", len(labellers), f"{labelled:,}")
    return {"prompts_encoded": encoded, "samples_labelled": labelled}


def _carry_clusters(
    resolved: ResolvedAudit, sample_set: SampleSet, store: Store, encoder_id: str | None
) -> tuple[LabelledAttribute, ...]:
    """Return the clusters made last, as one more attribute; none where one has their name."""
    targets = scored_samples(sample_set.samples)
    entry, added = carry_clusters(store, targets, encoder_id=encoder_id)
    if entry is None or any(one.name == CLUSTER for one in resolved.attributes):
        return ()
    if added:
        LOG.warning(
            "%s samples came since they were clustered, their cluster is unknown; "
            "`weakspot clusters` makes clusters again",
            f"{added:,}",
        )
    return (entry,)


def _choose(
    audit: Audit,
    labellers: Sequence[Labeller],
    sample_set: SampleSet,
    truth: Mapping[str, str],
    store: Store,
    *,
    run_tasks: RunTasks,
) -> tuple[list[ChosenLabeller], int]:
    """Choose between prompts and probes, where checks or true values are there to choose by.

    Prompts label these attributes first, since probes are compared with them. Returns how many
    samples got such a label.
    """
    prompted = [one for one in labellers if isinstance(one, PromptLabeller)]
    teachable = list_teachable(audit.attributes, store, truth=truth)
    asked = [one for one in prompted if one.attribute.name in teachable]
    if not asked:
        return [ChosenLabeller(one) for one in labellers], 0
    labelled = label_all(sample_set.samples, asked, store, run_tasks=run_tasks)
    labels = store.read_labels([one.label_id for one in asked])
    known = read_known_values(audit.attributes, labels, store, truth=truth)
    return choose_labellers(labellers, known, sample_set, store, use=audit.attributes), labelled


def label_all(
    samples: pl.DataFrame,
    labellers: Sequence[Labeller],
    store: Store,
    *,
    run_tasks: RunTasks = call_tasks,
    block_size: int | None = None,
) -> int:
    """Label block by block what has no label yet; return how many samples got one."""
    ordered = samples.sort("content_key")
    lacking = _find_lacking(ordered, labellers, store)
    if block_size is None:
        block_size = BLOCK if any(one.encoder_id for one in labellers) else PLAIN_BLOCK
    wanted = lacking.select(pl.any_horizontal(pl.lit(value=False), pl.all())).to_series()
    rows, lacking = ordered.filter(wanted), lacking.filter(wanted)
    labelled = 0
    with show_progress("label", rows.height):
        blocks = zip(rows.iter_slices(block_size), lacking.iter_slices(block_size), strict=True)
        results = run_tasks(
            partial(label_block, block, lacks, _take_own(labellers, block), store)
            for block, lacks in blocks
        )
        for labels in results:
            store.put_labels(labels)
            labelled += labels["sample_id"].n_unique()
            advance_progress(labels["sample_id"].n_unique())
    return labelled


def _take_own(labellers: Sequence[Labeller], block: pl.DataFrame) -> list[Labeller]:
    """Return the labellers with what they need of the samples of one block alone."""
    return [labeller.take(block["sample_id"]) for labeller in labellers]


def label_block(
    block: pl.DataFrame, lacking: pl.DataFrame, labellers: Sequence[Labeller], store: Store
) -> pl.DataFrame:
    """Return the labels that the samples of `block` lack, of every attribute.

    lacking: for each labeller a column that says which rows of the block lack its label.
    """
    needed = {
        labeller.encoder_id
        for labeller, lacks in zip(labellers, lacking.iter_columns(), strict=True)
        if labeller.encoder_id and lacks.any()
    }
    vectors = None
    for encoder_id in needed:  # an audit has one
        keys = block["content_key"].unique().sort()
        vectors = read_vectors(keys, store.embeddings, encoder_id=encoder_id)
    return label_missing(block, lacking, labellers, vectors)


def _find_lacking(
    samples: pl.DataFrame, labellers: Sequence[Labeller], store: Store
) -> pl.DataFrame:
    """Return for each labeller a column: which samples are of its kind and have no label of it.

    Most nights all have one: they are counted first, once for the labellers of one kind of sample.
    """
    columns = {}
    for kind in dict.fromkeys(one.attribute.applies_to for one in labellers):
        own = [one for one in labellers if one.attribute.applies_to == kind]
        targets = select_targets(samples, own[0].attribute)["sample_id"]
        counts = count_labels(store, [one.label_id for one in own], targets)
        for one in own:
            if counts[one.label_id] == len(targets):
                lacks = pl.repeat(value=False, n=samples.height, dtype=pl.Boolean, eager=True)
            else:
                missing = list_unlabelled(store, targets, one.label_id)
                lacks = samples["sample_id"].is_in(missing.implode())
            columns[one.label_id] = lacks
    return pl.DataFrame({one.label_id: columns[one.label_id] for one in labellers})


def _describe(chosen: ChosenLabeller) -> LabelledAttribute:
    labeller = chosen.labeller
    attribute = labeller.attribute
    notes = labeller.notes if isinstance(labeller, PromptLabeller | ProbeLabeller) else ()
    for note in notes:
        LOG.warning(note)
    return LabelledAttribute(
        name=attribute.name,
        label_id=labeller.label_id,
        kind=attribute.kind,
        source=labeller.source,
        applies_to=attribute.applies_to,
        sensitive=attribute.sensitive,
        reference=attribute.reference,
        asked=hash_attribute(attribute),
        edges=labeller.edges,
        values=labeller.values,
        notes=(*notes, chosen.note) if chosen.note else notes,
    )


def _put_truth(
    audit: Audit, samples: pl.DataFrame, store: Store
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Store true labels where the audit names them.

    Returns the label_id of each attribute, and in words what the file and the samples lack.
    """
    if audit.dataset.truth is None:
        return {}, ()
    truth = read_truth(audit.dataset.truth, samples)
    for problem in truth.problems:
        LOG.warning(problem)
    pairs = truth.labels.select("attribute", "label_id").unique().sort("attribute").iter_rows()
    ids = dict(pairs)
    # By value: whether a file name is unique, and so names a sample, depends on the others.
    known = store.read_labels(list(ids.values()))
    new = truth.labels.join(known, on=["sample_id", "label_id", "value"], how="anti")
    store.put_labels(new)
    return ids, tuple(truth.problems)
