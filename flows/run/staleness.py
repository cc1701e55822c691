"""What was made earlier in a workspace, compared with what is asked for now."""

import hashlib
from collections.abc import Iterator, Mapping

import polars as pl

from flows.run.resolved_audit import ResolvedAudit
from pipeline.config.audit import Audit, Dataset, System
from pipeline.embeddings.card import spec_key
from pipeline.exceptions import SearchError, StoreError
from pipeline.labels.attribute_file import hash_attribute
from pipeline.vocabulary import CLUSTER
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.known_truth import list_denied, summarize_checks
from pipeline.workspace.manifests import (
    Inputs,
    LabelManifest,
    SamplesManifest,
    ScoreManifest,
    SearchRecord,
)
from pipeline.workspace.store import Store


def hash_system(system: System) -> str:
    """Return the hash of what an audit asks of a system."""
    unset = set() if system.attribute else {"attribute"}  # so that hashes of others stay
    return _hash(system.model_dump_json(exclude=unset))


def hash_dataset(dataset: Dataset) -> str:
    """Return the hash of what an audit asks of its samples; true values are hashed apart."""
    return _hash(dataset.model_dump_json(exclude={"truth"}))


def hash_truth(dataset: Dataset) -> str:
    """Return the hash of which true values an audit reads, and how."""
    return _hash(dataset.truth.model_dump_json() if dataset.truth else "")


def hash_encoder(audit: Audit) -> str:
    """Return the hash of which encoder an audit asks for."""
    return _hash(spec_key(audit.encoder) if audit.encoder else "")


def hash_probes(audit: Audit) -> str:
    """Return the hash of what an audit asks of probes."""
    asked = audit.attributes
    return _hash("\0".join([asked.probe, asked.probe_from, asked.probe_groups or ""]))


def hash_search(audit: Audit) -> str:
    """Return the hash of what an audit asks of the search and of the count of its domain."""
    return _hash("\0".join([audit.slices.model_dump_json(), audit.domain.model_dump_json()]))


def hash_comparison(audit: Audit) -> str:
    """Return the hash of what the audit asks of groups and gates."""
    asked = [audit.fairness.model_dump_json()] if audit.fairness else []
    if audit.gates:  # without the gate of another command, so that hashes of others stay
        asked.append(audit.gates.model_dump_json(exclude={"max_probe_shift"}))
    return _hash("\0".join(asked))


def refuse_other_limit(store: Store, limit: int | None) -> None:
    """Raise StoreError when a stage would take other samples than the stages before it took.

    limit: as --limit; None for all samples.
    """
    last = SamplesManifest.find(store.folder)
    if last is None or last.limit == limit:
        return
    if last.limit is None:
        problem = f"the last samples are not limited; run `weakspot run` with --limit {limit} first"
        remedy = "or leave --limit out"
    else:
        problem = (
            f"the last samples are limited to {last.limit:,}; run `weakspot run` without --limit"
        )
        remedy = f"or pass --limit {last.limit} here too"
    raise StoreError(f"{store.folder}: {problem}, {remedy}")


def refuse_stale(resolved: ResolvedAudit, store: Store) -> None:
    """Raise SearchError when labels or errors were made for another dataset, attributes or systems.

    Also when they are of other samples than were read last, because one of them was limited.
    """
    label = LabelManifest.read(store.folder)
    scored = ScoreManifest.read(store.folder)
    known = {name: one.asked for name, one in scored.systems.items()}
    systems = {system.name: hash_system(system) for system in resolved.audit.systems}
    problems = [*_list_foreign_samples(resolved.audit, store, label, scored)]
    problems += _list_stale_labels(resolved, label)
    if CLUSTER in resolved.sensitive and CLUSTER not in label.by_name:
        problems.append("there are no clusters to compare; run `weakspot clusters` first")
    if differing := _list_differing(known, systems):
        problems.append(f"systems {differing} changed; run `weakspot score` first")
    elif relabelled := _list_relabelled(resolved.audit, label, scored):
        problems.append(f"labels that {relabelled} judges changed; run `weakspot score` first")
    elif missing := _list_without_matches(resolved.audit, store, scored):
        problems.append(f"matches of {missing} are not there; run `weakspot score` first")
    if problems:
        where = f"{store.folder}, since it was labelled and scored"
        raise SearchError.from_problems(where, problems)


def refuse_unlabelled(resolved: ResolvedAudit, store: Store) -> None:
    """Raise StoreError when nothing is labelled, or for another dataset or other attributes."""
    label = LabelManifest.read(store.folder)
    if label.dataset_asked not in (None, hash_dataset(resolved.audit.dataset)):
        raise StoreError(
            f"{store.folder} was labelled for another [dataset] than the audit names; name the "
            "workspace of this audit, or run `weakspot label` first"
        )
    if problems := _list_stale_labels(resolved, label):
        raise StoreError(f"{store.folder}, since it was labelled: {'; '.join(problems)}")


def note_inputs(store: Store, samples: pl.DataFrame) -> Inputs:
    """Return what identifies the samples, labels, errors and checks in the workspace now."""
    label = LabelManifest.read(store.folder)
    scored = ScoreManifest.read(store.folder).systems
    keys = samples.select("sample_id", "content_key").sort("sample_id")
    return Inputs(
        samples=_hash(keys.write_csv()),
        labels={one.name: one.label_id for one in label.attributes},
        truth=label.truth,
        errors={name: one.error_id for name, one in scored.items()},
        checks=_hash_checks(store),
    )


def _hash_checks(store: Store) -> str:
    """Return a hash of the true values that people named or ruled out, "" where there are none."""
    checks = read_checks(store.folder)
    denied = list_denied(checks).with_columns(value="not " + pl.col("denied"))
    columns = ("sample_id", "attribute", "value")
    values = pl.concat([summarize_checks(checks).select(columns), denied.select(columns)])
    values = values.sort(columns)
    return "" if values.is_empty() else _hash(values.write_csv())


def refuse_unsearched(
    audit: Audit, store: Store, search: SearchRecord, *, name: str, inputs: Inputs
) -> None:
    """Raise StoreError when the last search read other inputs than are there now.

    name: of the audit that searched; another may share the workspace. inputs: as `note_inputs`
    returns them now. A page of old findings beside new labels would mislead.
    """
    then, now = search.inputs.model_dump(), inputs.model_dump()
    problems = [f"the {name} are not those that were searched" for name in now
                if then[name] != now[name]]  # fmt: skip
    systems = {system.name for system in audit.systems}
    if differing := sorted(systems ^ set(search.systems)):
        problems.append(f"systems {', '.join(differing)} are not those that were searched")
    if search.label_source != audit.slices.labels:
        problems.append("[slices] labels is not what was searched")
    elif search.asked not in (None, hash_search(audit)):
        problems.append("[slices] or [domain] is not what was searched")
    if name != audit.name:
        problems.append(f"the last search is that of audit {name!r}, not of {audit.name!r}")
    if problems:
        where = f"{store.folder} was not searched as it is now; run `weakspot find` first"
        raise StoreError.from_problems(where, problems)


def _list_foreign_samples(
    audit: Audit, store: Store, label: LabelManifest, scored: ScoreManifest
) -> Iterator[str]:
    """Yield in what the samples of labels and errors are not those that are asked for now."""
    samples = SamplesManifest.read(store.folder)
    asked = (samples.asked, label.dataset_asked, scored.dataset_asked)
    if any(one not in (None, hash_dataset(audit.dataset)) for one in asked):
        yield "[dataset] changed; run `weakspot run` first"
    for command, made, limit in (
        ("label", "labels", label.limit),
        ("score", "errors", scored.limit),
    ):
        if limit != samples.limit:
            yield (
                f"the {made} are {_write_limit(limit)}, the samples {_write_limit(samples.limit)}"
                f"; run `weakspot {command}` first"
            )


def _list_stale_labels(resolved: ResolvedAudit, label: LabelManifest) -> list[str]:
    """Return in what the labels are not those that are asked for now."""
    labelled = {one.name: one.asked for one in label.attributes if one.source != CLUSTER}
    attributes = {a.name: hash_attribute(a) for a in resolved.attributes}
    problems = []
    if differing := _list_differing(labelled, attributes):
        problems.append(f"attributes {differing} changed; run `weakspot label` first")
    if label.encoder_id and label.encoder_asked not in (None, hash_encoder(resolved.audit)):
        problems.append("[encoder] changed; run `weakspot embed` and `weakspot label` first")
    if label.truth_asked not in (None, hash_truth(resolved.audit.dataset)):
        problems.append("[dataset.truth] changed; run `weakspot label` first")
    if label.probes_asked not in (None, hash_probes(resolved.audit)):
        problems.append("probe of [attributes] changed; run `weakspot label` first")
    return problems


def _write_limit(limit: int | None) -> str:
    return "of all samples" if limit is None else f"limited to {limit:,}"


def _list_relabelled(audit: Audit, label: LabelManifest, scored: ScoreManifest) -> str:
    """List the systems of labels that were scored by other labels than there are now."""
    now = {one.name: one.label_id for one in label.attributes}
    return ", ".join(
        system.name
        for system in audit.systems
        if system.attribute is not None
        and scored.systems[system.name].notes.get("label_id") != now.get(system.attribute)
    )


def _list_without_matches(audit: Audit, store: Store, scored: ScoreManifest) -> str:
    """List systems whose matches are gone, or were not kept yet by the version that scored."""
    return ", ".join(
        system.name
        for system in audit.systems
        if system.format != "table" and not store.has_matches(scored.systems[system.name].error_id)
    )


def _list_differing(before: Mapping[str, str | None], now: Mapping[str, str]) -> str:
    names = sorted(before.keys() | now.keys())
    return ", ".join(name for name in names if before.get(name) != now.get(name))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
