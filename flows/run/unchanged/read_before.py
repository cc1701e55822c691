"""What a stage would read now, compared with what it read last: equal means nothing to do.

A stage that begins to read something new adds it here. What is in doubt counts as changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

from flows.run.logs import LOG
from flows.run.record import PACKAGES, find_last_search
from flows.run.resolved_audit import ResolvedAudit
from pipeline.exceptions import StoreError
from pipeline.workspace.finished_stages import (
    FinishedStage,
    forget_finished,
    read_finished,
    seal_files,
    write_finished,
)
from pipeline.workspace.integrity.sealed_shards import identify_shard
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import (
    FairnessManifest,
    LabelManifest,
    MapManifest,
    SamplesManifest,
    ScoreManifest,
)
from pipeline.workspace.row_digests import (
    digest_errors,
    digest_findings,
    digest_labels,
    digest_rejects,
    digest_samples,
    digest_searches,
)
from pipeline.workspace.store import Store

Stage = Literal["find", "fairness", "report"]
_PACKAGES = ("attributes", "pipeline", "reports", "flows")
_COMPILED = frozenset({".pyc", ".nbi", ".nbc"})  # by Python and numba
_COMPUTING = ("numba", "pandas", "pyarrow", "scikit-learn", "scipy", "jinja2", "pillow")
_COMPARED = ("gaps", "disparities", "verdicts")  # tables of `fairness`
_REPORTED = ("sweeps",)  # tables of `report`
# Sections of audit.toml that a stage does not read. What is not listed counts, so that a new
# section is never forgotten.
_UNREAD: Mapping[Stage, frozenset[str]] = {
    "find": frozenset({"fairness", "gates", "report", "access", "run", "shards"}),
    "fairness": frozenset({"report", "access", "run", "shards"}),
    "report": frozenset({"run", "shards"}),
}
_SHARDS = ("embeddings", "measurements", "broken", "detections", "texts")
_DATASET = frozenset({"objects", "source_images", "categories", "columns"})
# Read by name above, made from what is, or written by each run. Vectors of prompts are made from
# the texts of attributes and the encoder, and their labels count.
_KNOWN = (
    *("checks", "dataset", "finished", "manifests", "mining", "outcomes", "probes", "prompts"),
    *("quality", "results", "scan", "shards.json", "slices", "trust"),
)
_TRUST = ("bias", "attack", "trust")  # manifests of what the report alone reads
_READ = frozenset({"samples", "label", "score", "fairness", "quality", *_TRUST})  # as above
# Begin the names of files of the database, also of one moved aside, and of the run that goes on.
_CHANGING = ("weakspot.duckdb", "run.")
_VOLATILE = frozenset({"files_hashed", "files_known"})  # counts of work, not of the dataset


def gather_tables(store: Store) -> dict[str, str]:
    """Return a digest of each kind of thing that all stages read.

    That is the samples, labels and errors as rows, matches, vectors, probes and checks as files,
    what the stages before noted, the sources of this program and the versions of what it computes
    with. Raises StoreError when an earlier stage has not run.
    """
    label, scored = LabelManifest.read(store.folder), ScoreManifest.read(store.folder)
    samples = SamplesManifest.read(store.folder)
    counts = {name: n for name, n in samples.counts.items() if name not in _VOLATILE}
    error_ids = [one.error_id for one in scored.systems.values()]
    label_ids = [*(one.label_id for one in label.attributes), *label.truth.values()]
    return {
        "code": hash_code(),
        "versions": _hash_versions(),
        "samples": _hash(digest_samples(store), samples.model_dump_json(exclude={"counts"}),
                         json.dumps(counts, sort_keys=True)),
        "labels": _hash(digest_labels(store, label_ids), label.model_dump_json()),
        "errors": _hash(digest_errors(store, error_ids), scored.model_dump_json()),
        "matches": _hash_files(_list_matches(store, error_ids)),
        "checks": _hash_files([Journal(store.folder).path]),
        "dataset": _hash_files(p for p in store.dataset.glob("*.parquet") if p.stem in _DATASET),
        "vectors": _hash(*_list_shards(store)),
        "probes": _hash_files(store.probes.rglob("*.json")),
        "manifests": _hash_files(
            path for path in sorted((store.folder / "manifests").glob("*.json"))
            if path.stem not in _READ
        ),
        "other": _hash(*_list_others(store)),
    }  # fmt: skip


def gather_inputs(
    resolved: ResolvedAudit, store: Store, stage: Stage, tables: Mapping[str, str]
) -> dict[str, str]:
    """Return a digest of each kind of thing that a stage reads, its settings among them.

    tables: as `gather_tables` returns them.
    """
    inputs = {**tables, "settings": _hash_settings(resolved, stage)}
    return inputs | _gather_results(resolved, store) if stage == "report" else inputs


def find_kept(
    stage: Stage, store: Store, inputs: Mapping[str, str], *, run_id: str | None
) -> FinishedStage | None:
    """Return how a stage last ended where that is what it would come to now, else None.

    inputs: as `gather_inputs` returns them now. run_id: of the run whose result is read now. What
    it made must still be there, unchanged.
    """
    last = read_finished(store.folder, stage)
    if last is None:
        return None
    if last.run_id != run_id:
        LOG.info("%s: what it made last is of another search; it is done again", stage)
        return None
    if changed := last.list_changed(inputs):
        LOG.info("%s: %s changed since run %s", stage, ", ".join(changed), last.run_id)
        return None
    if last.outputs != seal_outputs(stage, store, last.run_id, paths=last.outputs):
        LOG.warning("%s: what run %s made is not there any more as it was", stage, last.run_id)
        return None
    LOG.info("%s: nothing changed since run %s, which is kept", stage, last.run_id)
    return last


def note_finished(
    stage: Stage,
    store: Store,
    inputs: Mapping[str, str],
    *,
    run_id: str,
    pages: Iterable[Path] = (),
) -> None:
    """Note that a stage ended; pages: files that it wrote outside the workspace."""
    paths = [*_list_results(stage, store, run_id), *pages]
    outputs = seal_outputs(stage, store, run_id, paths=map(str, paths))
    write_finished(
        FinishedStage(run_id=run_id, inputs=inputs, outputs=outputs), store.folder, stage
    )


def forget_stage(stage: Stage, store: Store) -> None:
    """Forget how a stage ended, before it is done again."""
    forget_finished(store.folder, stage)


def seal_outputs(
    stage: Stage, store: Store, run_id: str, *, paths: Iterable[str]
) -> dict[str, str]:
    """Return a digest of each file of `paths` and of the rows that a stage made."""
    sealed = seal_files(Path(path) for path in paths if path != "rows")
    if stage == "find":
        sealed["rows"] = digest_findings(store, run_id)
    return sealed


@cache
def hash_code() -> str:
    """Return a digest of the sources of this program, whatever its version is called."""
    digest = hashlib.sha256()
    for path in list_sources():
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def list_sources() -> list[Path]:
    """Return the files of our packages, templates and attribute files among them, in order."""
    rooms = [Path(str(place)) for name in _PACKAGES for place in _find_folders(name)]
    files = [path for room in rooms for path in sorted(room.rglob("*"))]
    return [path for path in files if path.is_file() and path.suffix not in _COMPILED]


def _find_folders(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


def _hash_settings(resolved: ResolvedAudit, stage: Stage) -> str:
    audit = resolved.audit.model_dump_json(exclude=set(_UNREAD[stage]))
    attributes = [f"{one.model_dump_json()}{one.reference}" for one in resolved.attributes]
    return _hash(audit, *attributes, *resolved.sensitive)


def _hash_versions() -> str:
    names = ("weakspot", *PACKAGES, *_COMPUTING)
    return _hash(platform.python_version(), *(f"{name} {_read_version(name)}" for name in names))


def _read_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _list_matches(store: Store, error_ids: Iterable[str]) -> Iterator[Path]:
    for error_id in error_ids:
        yield from store.outcomes.glob(f"{error_id}*.parquet")


def _list_shards(store: Store) -> Iterator[str]:
    """Yield names and sizes of shards, whose names carry checksums, and the cards of encoders."""
    for name in _SHARDS:
        for path in sorted((store.shard_root / name).rglob("*.parquet")):
            yield f"{path.parent.relative_to(store.shard_root)} {identify_shard(path)}"
    for path in sorted(store.embeddings.glob("*/encoder.json")):
        yield path.read_text(encoding="utf-8")


def _list_others(store: Store) -> Iterator[str]:
    """Yield what identifies each file of the workspace that is not known here, such as maps."""
    known = {*_SHARDS, *_KNOWN}
    for entry in sorted(store.folder.iterdir()):
        if entry.name in known or entry.name.startswith(_CHANGING):
            continue
        for path in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            status = path.lstat()
            yield f"{path.relative_to(store.folder)} {status.st_size} {status.st_mtime_ns}"


def _gather_results(resolved: ResolvedAudit, store: Store) -> dict[str, str]:
    """Return digests of what `find` and `fairness` made, and of what else the page shows."""
    run = find_last_search(store) or {"run_id": ""}
    shown = {name: cell for name, cell in run.items() if name not in ("finished_at", "timings")}
    compared = None
    with suppress(StoreError):  # of a broken one the stage says so that reads it
        compared = FairnessManifest.find(store.folder)
    own = {run["run_id"], compared.run_id if compared else ""} - {""}
    files = [
        path
        for run_id in sorted(own)
        for path in (*store.results.glob(f"{run_id}/*.parquet"), store.slices / f"{run_id}.parquet")
        if path.stem not in _REPORTED
    ]
    return {
        "search": _hash(json.dumps(shown, default=str), digest_findings(store, run["run_id"])),
        "comparison": _hash(compared.model_dump_json() if compared else ""),
        "results": _hash_files(files),
        "maps": _hash_files(
            [*store.maps.glob("*/*"), *MapManifest.locate(store.folder).parent.glob("map.json")]
        ),
        "trust": _hash_files(
            [
                *(store.folder / "trust").glob("*.parquet"),
                *(
                    path
                    for name in _TRUST
                    for path in (store.folder / "manifests").glob(f"{name}.json")
                ),
            ]
        ),
        "rejects": digest_rejects(store),
        "history": digest_searches(store, resolved.audit.name),
    }


def _list_results(stage: Stage, store: Store, run_id: str) -> list[Path]:
    """Return the files of a run in the workspace that a stage made."""
    files = sorted(store.results.glob(f"{run_id}/*.parquet"))
    if stage == "fairness":
        return [
            *(path for path in files if path.stem in _COMPARED),
            FairnessManifest.locate(store.folder),
        ]
    if stage == "report":
        return [path for path in files if path.stem in _REPORTED]
    found = [path for path in files if path.stem not in {*_COMPARED, *_REPORTED}]
    return [*found, store.slices / f"{run_id}.parquet"]


def _hash_files(paths: Iterable[Path]) -> str:
    sealed = seal_files(paths)
    return _hash(*(f"{Path(path).name} {seal}" for path, seal in sorted(sealed.items())))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
