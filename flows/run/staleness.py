"""What was made earlier in a workspace, compared with what is asked for now."""

import hashlib
from typing import Any

from flows.stages.plan import read_audit_attributes
from flows.stages.samples import load_samples
from pipeline.config.audit import Audit, System
from pipeline.exceptions import SearchError, StoreError
from pipeline.labels.attribute_file import hash_attribute
from pipeline.workspace.store import Store


def hash_system(system: System) -> str:
    """Return the hash of what an audit asks of a system."""
    return _hash(system.model_dump_json())


def refuse_outdated(audit: Audit, store: Store) -> None:
    """Raise SearchError when labels or errors were made for other attributes or systems."""
    labelled = {e["name"]: e.get("asked") for e in store.read_manifest("label")["attributes"]}
    attributes = {a.name: hash_attribute(a) for a in read_audit_attributes(audit)}
    scored = store.read_manifest("score")["systems"]
    known = {name: entry.get("asked") for name, entry in scored.items()}
    systems = {system.name: hash_system(system) for system in audit.systems}
    problems = []
    if differing := _list_differing(labelled, attributes):
        problems.append(f"attributes {differing} changed; run `weakspot label` first")
    if differing := _list_differing(known, systems):
        problems.append(f"systems {differing} changed; run `weakspot score` first")
    elif lost := _list_without_outcomes(audit, store):
        problems.append(f"outcomes of {lost} are not there; run `weakspot score` first")
    if problems:
        where = f"{store.folder}, since it was labelled and scored"
        raise SearchError.from_problems(where, problems)


def note_inputs(store: Store) -> dict[str, Any]:
    """Return what identifies the samples, labels and errors that the workspace holds now."""
    label = store.read_manifest("label")
    scored = store.read_manifest("score")["systems"]
    samples = load_samples(store).samples.select("sample_id", "content_key").sort("sample_id")
    return {
        "samples": _hash(samples.write_csv()),
        "labels": {entry["name"]: entry["label_id"] for entry in label["attributes"]},
        "truth": label["truth"],
        "errors": {name: entry["error_id"] for name, entry in scored.items()},
    }


def refuse_unsearched(
    audit: Audit, store: Store, search: dict[str, Any], *, inputs: dict[str, Any]
) -> None:
    """Raise StoreError when the last search saw other inputs than are there now.

    search: what `find_slices` noted. inputs: as `note_inputs` tells them now. A page
    of old findings beside new labels would mislead.
    """
    problems = [
        f"the {name} are not those that were searched"
        for name, now in inputs.items()
        if search.get("inputs", {}).get(name) != now
    ]
    systems = {system.name for system in audit.systems}
    if differing := sorted(systems ^ set(search["systems"])):
        problems.append(f"systems {', '.join(differing)} are not those that were searched")
    if search.get("label_source") != audit.slices.labels:
        problems.append("[slices] labels is not what was searched")
    if problems:
        where = f"{store.folder} was not searched as it stands; run `weakspot find` first"
        raise StoreError.from_problems(where, problems)


def _list_without_outcomes(audit: Audit, store: Store) -> str:
    """List systems whose outcomes are gone, or were not kept yet by the version that scored."""
    scored = store.read_manifest("score")["systems"]
    return ", ".join(
        system.name
        for system in audit.systems
        if system.format != "table" and store.read_outcomes(scored[system.name]["error_id"]) is None
    )


def _list_differing(before: dict[str, Any], now: dict[str, Any]) -> str:
    names = sorted(before.keys() | now.keys())
    return ", ".join(name for name in names if before.get(name) != now.get(name))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
