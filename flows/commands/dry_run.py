"""`weakspot run --dry-run`: every input is checked and counted, nothing is kept."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from flows.run.loaded_models import LoadEncoder, get_encoder, load_open_clip, require_encoder
from flows.run.preflight import check_columns, check_paths
from flows.run.reading.saved_attributes import add_saved_columns
from flows.run.resolved_audit import ResolvedAudit, resolve_audit
from flows.stages.detect import PROBED_IMAGES, asks_for_detector, probe_detector
from flows.stages.detection_samples import add_detection_samples, limit_images
from flows.stages.embed import EmbedPlan, plan_embedding
from flows.stages.read_text import LoadReader, asks_for_text, probe_texts
from flows.stages.score import score_sample_set
from pipeline.config.audit import Audit
from pipeline.config.error_metrics import LABELS
from pipeline.coverage.values import describe_constant
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.errors.output_counts import count_outputs
from pipeline.errors.scored import Scored, scored_samples
from pipeline.fairness.classifier_metrics import check_positive
from pipeline.labels.mappings import MappingFit
from pipeline.labels.truth import read_truth
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.shard_place import read_place
from pipeline.workspace.store import Store

SHOWN_REJECTS = 10
PROBED = 64  # samples that are embedded to estimate how long the rest takes
# Counts of a sample set that say what was read; the others say what is special or left out.
_READ = frozenset({"files_hashed", "files_known", "images", "objects", "rejects"})
_BYTES_A_LABEL = 40  # in DuckDB, compressed; measured on 5,000 samples with nine attributes


@dataclass(frozen=True)
class Plan:
    """What a run would do: counts, seconds for what is missing, bytes it would add.

    mappings: in words, how often each value of a mapping of cells occurs. systems: for each the
    counts of its outputs. seconds: all together. text_seconds: those of reading text, None where
    none is read.
    """

    counts: Mapping[str, int]
    seconds: float
    disk_bytes: int
    problems: tuple[str, ...] = ()
    mappings: tuple[str, ...] = ()
    systems: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    text_seconds: float | None = None

    def to_json(self) -> str:
        """Return the plan as one JSON object."""
        content = asdict(self)
        if self.text_seconds is None:
            del content["text_seconds"]
        return json.dumps(content)

    def to_text(self) -> str:
        """Return the plan for a person."""
        lines = [f"{name.replace('_', ' ')}: {count:,}" for name, count in self.counts.items()]
        texts = self.text_seconds or 0.0
        lines.append(f"embedding what is missing: about {self.seconds - texts:,.0f} s")
        if self.text_seconds is not None:
            lines.append(f"reading text: about {texts:,.0f} s")
        lines.append(f"disk for it: about {self.disk_bytes / 1e6:,.1f} MB")
        lines += [f"mapping: {line}" for line in self.mappings]
        for name, counts in self.systems.items():
            listed = ", ".join(f"{words} {count:,}" for words, count in counts.items())
            lines += [f"outputs of {name}: {listed}"] if listed else []
        return "\n".join([*lines, *(f"note: {problem}" for problem in self.problems)])


def check_audit(
    path: Path,
    *,
    limit: int | None,
    load: LoadEncoder = load_open_clip,
    load_texts: LoadReader = load_reader,
) -> Plan:
    """Read every input of an audit and time a few samples; the workspace stays as it is.

    Raises what a run would raise for faulty inputs.
    """
    resolved = resolve_audit(path)
    audit = resolved.audit
    check_paths(audit, config=path)
    # Only read, and it need not be there.
    store = Store(audit.workspace, shards=read_place(audit.workspace))
    probe = probe_detector(audit, store) if asks_for_detector(audit.dataset) else None
    to_detect = {"to_detect": probe.to_detect} if probe else {}
    first = f"objects are those of the first {PROBED_IMAGES} images that are new to the detector"
    notes = (first,) if probe and probe.to_detect else ()
    if probe and probe.to_detect and probe.detections.is_empty():  # perhaps in the others
        return Plan(to_detect, probe.seconds, 0, notes)
    found = probe.detections if probe else None
    images = limit_images(audit, limit)
    sample_set = read_samples(audit.dataset, detections=found, limit=images)
    sample_set = add_detection_samples(sample_set, audit, limit=limit)
    sample_set = add_saved_columns(sample_set, resolved.saved)
    sample = audit.dataset.sample
    fits = check_columns(
        resolved.attributes,
        sample_set,
        sample=sample,
        truth=audit.dataset.truth,
        limited=limit is not None,
    )
    scored = _score_systems(audit, sample_set)
    counts = {
        "samples": scored_samples(sample_set.samples).height,
        "rejects": sample_set.rejects.height,
        "attributes": len(resolved.attributes),
        **_count_errors(scored),
    }
    problems = (*notes, *sample_set.notes, *_list_left_out(sample_set.counts))
    problems += _list_rejects(sample_set.rejects)
    problems += tuple(f"{name}: {text}" for name, one in scored.items() for text in one.warnings)
    mappings = _describe_fits("", fits)
    problems += _list_unread(scored)
    problems += _find_constant(resolved, sample_set)
    problems += _find_unjudged(resolved, store)
    if audit.dataset.truth is not None:
        truth = read_truth(audit.dataset.truth, sample_set.samples)
        problems += truth.problems
        mappings += _describe_fits("truth of ", truth.fits)
    plan = plan_embedding(resolved, sample_set.samples, store, load, keep=False)
    seconds, dim = _time_embedding(audit, plan, load)
    labels = sample_set.samples.height * len(resolved.attributes) * _BYTES_A_LABEL
    seconds += probe.seconds if probe else 0.0
    counts |= to_detect | {"to_embed": plan.to_encode.height, "to_measure": plan.to_measure.height}
    size = labels + plan.to_encode.height * (2 * dim + 32)
    systems = {name: count_outputs(one.notes) for name, one in scored.items()}
    text_seconds = None
    if asks_for_text(resolved):
        texts = probe_texts(resolved, sample_set.samples, store, load=load_texts)
        counts["to_read"] = texts.to_read
        seconds, text_seconds = seconds + texts.seconds, texts.seconds
    return Plan(
        counts, seconds, size, problems,
        mappings=mappings, systems=systems, text_seconds=text_seconds,
    )  # fmt: skip


def _find_unjudged(resolved: ResolvedAudit, store: Store) -> tuple[str, ...]:
    """Say which groups the gates will not judge, because nothing is known of their labels."""
    gates, truth = resolved.audit.gates, resolved.audit.dataset.truth
    if gates is None or gates.max_gap is None or gates.unchecked_labels == "judge":
        return ()
    known = {*(truth.attributes if truth else ()), *read_checks(store.folder)["attribute"]}
    judged = gates.attributes or resolved.sensitive
    prompted = {one.name for one in resolved.attributes if one.kind == "prompts"}
    names = [name for name in judged if name in prompted and name not in known]
    if not names:
        return ()
    return (
        f"gates: groups of {', '.join(names)} are not judged until some of their labels are "
        'checked with `weakspot check-labels`, or with unchecked_labels = "judge"',
    )


def _list_unread(scored: Mapping[str, Scored]) -> tuple[str, ...]:
    """Return a sentence for each system whose tables have columns that nothing reads."""
    unread = {name: one.notes.get("columns_not_read") for name, one in scored.items()}
    return tuple(
        f"{name}: columns that are not read: {', '.join(map(str, columns))}"
        for name, columns in unread.items()
        if isinstance(columns, list) and columns
    )


def _find_constant(resolved: ResolvedAudit, sample_set: SampleSet) -> tuple[str, ...]:
    """Return a sentence for each given attribute whose column has one value for all samples."""
    own = scored_samples(sample_set.samples).select("sample_id")
    columns = sample_set.columns.join(own, on="sample_id", how="semi")
    given = [one.given_column for one in resolved.attributes if one.kind == "given"]
    return describe_constant(columns.select(pl.col(sorted(set(given))).cast(pl.String)))


def _describe_fits(prefix: str, fits: Iterable[MappingFit]) -> tuple[str, ...]:
    return tuple(f"{prefix}{fit.describe()}" for fit in fits)


def _list_left_out(counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return a line that counts what was read of the dataset and left out, if there is any."""
    left = {name: n for name, n in counts.items() if n and name not in _READ}
    words = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in left.items())
    return (f"of the dataset's own files: {words}",) if left else ()


def _list_rejects(rejects: pl.DataFrame) -> tuple[str, ...]:
    """Return some rejects, one of each reason before a second, and how many more there are."""
    turn = pl.int_range(pl.len()).over("reason")
    some = rejects.sort(turn, "path", "reason").head(SHOWN_REJECTS).sort("path", "reason")
    first = some.select("path", "reason").iter_rows()
    lines = [f"rejected: {path}: {reason}" for path, reason in first]
    more = rejects.height - len(lines)
    return (*lines, f"rejected: {more:,} more") if more else tuple(lines)


def _score_systems(audit: Audit, sample_set: SampleSet) -> dict[str, Scored]:
    found = {}
    for system in audit.systems:
        if system.format == LABELS:  # which are not made yet
            continue
        scored = score_sample_set(system, sample_set)
        check_positive(scored.matches, audit.fairness.positive if audit.fairness else None)
        found[system.name] = scored
    return found


def _count_errors(scored: Mapping[str, Scored]) -> dict[str, int]:
    return {
        "errors": sum(one.errors.height for one in scored.values()),
        "samples_without_error": sum(one.samples_without_error for one in scored.values()),
        "errors_without_sample": sum(one.errors_without_sample for one in scored.values()),
    }


def _time_embedding(audit: Audit, plan: EmbedPlan, load: LoadEncoder) -> tuple[float, int]:
    """Return the seconds that the plan will take, by doing a little of it, and the dimension."""
    seconds, dim = 0.0, 0
    for rows, encode in ((plan.to_encode, True), (plan.to_measure, False)):
        if rows.is_empty():
            continue
        encoder = get_encoder(require_encoder(audit), load) if encode else None
        dim = encoder.dim if encoder else dim
        probe = rows.head(PROBED)
        with open_pool() as pool:
            start = time.perf_counter()
            embed_block(
                probe,
                root=audit.dataset.root,
                crop=audit.dataset.crop,
                encoder=encoder,
                pool=pool,
                batch_size=audit.encoder.batch_size if audit.encoder else 1,
            )
        seconds += (time.perf_counter() - start) * rows.height / probe.height
    return seconds, dim
