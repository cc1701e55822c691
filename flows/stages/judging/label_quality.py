"""How good the labels are: by true values or checks, and what the scores alone suggest."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.judging.auto_margins import find_thresholds
from pipeline.arrays import Vectors
from pipeline.embeddings.card import EncoderCard
from pipeline.exceptions import SearchError
from pipeline.labels.attribute_file import DEFAULT_PRECISION, Attribute, hash_attribute
from pipeline.labels.given import select_targets
from pipeline.labels.probes.held_out import JudgedProbe, train_judged
from pipeline.labels.probes.learning_curve import describe_gain
from pipeline.labels.quality.calibration import (
    calibrate_scores,
    list_reliability,
    measure_calibration,
)
from pipeline.labels.quality.ensembles import ENSEMBLES, Weighed, merge_weighed, weigh_ensemble
from pipeline.labels.quality.judged_labels import judge_labels, weigh_inclusion
from pipeline.labels.quality.mixture import cut_at_mixture, fit_mixtures, list_mixtures
from pipeline.labels.quality.quality_measures import count_confusion, measure_quality
from pipeline.labels.quality.thresholds import list_thresholds
from pipeline.labels.zero_shot import Ensemble, list_prompts, make_prototypes
from pipeline.tables import IN_USE, QUALITY_TABLES, empty
from pipeline.vocabulary import CLUSTER
from pipeline.workspace.kept.kept_quality import find_quality, put_quality
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.sample_vectors import read_sample_vectors
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

BLOCK = 16_384  # samples whose vectors are in memory at a time
MOST_COMPARED = 50_000  # samples that ways of reading the prompts are compared on
MOST_UNJUDGED = 20_000  # samples whose scores a mixture is fitted to where no truth is known
_OWN = "own"  # the key of what the attribute's own ensemble says

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class _Inputs:
    """What the quality of one attribute's labels is measured on.

    rows: the samples that it labels, with value, inclusion and draw where the truth is known, and
    cluster_id. prompts, logit_scale: of the encoder; None for attributes without prompts.
    """

    attribute: Attribute
    labelled: LabelledAttribute
    rows: pl.DataFrame
    prompts: Vectors | None
    logit_scale: float

    @property
    def judged(self) -> pl.DataFrame:
        """The rows whose true value is known."""
        return self.rows.filter(pl.col("value").is_not_null())

    @property
    def judged_by(self) -> str:
        """What is known of the rows: truth or checks."""
        return "truth" if (self.judged["draw"] == "truth").all() else "checks"


def measure_labels(resolved: ResolvedAudit, store: Store) -> Frames:
    """Measure the labels in use, and what other ways of reading the same prompts would give.

    Returns the tables of QUALITY_TABLES, which are kept in the workspace and made again only when
    labels, truth, checks or what is asked changed. Nothing is embedded. Raises SearchError where
    attributes are not those that were labelled, StoreError where nothing is labelled.
    """
    manifest = LabelManifest.read(store.folder)
    _refuse_changed(resolved, manifest)
    known = read_known_truth(store, manifest)
    samples = store.read_samples()
    made_from = _hash_inputs(resolved, manifest, known, samples)
    kept = find_quality(store, made_from=made_from)
    if kept is not None:
        return kept
    card = _read_card(store, manifest.encoder_id)
    parts: dict[str, list[pl.DataFrame]] = {n: [empty(s)] for n, s in QUALITY_TABLES.items()}
    for attribute in resolved.attributes:
        labelled = manifest.by_name[attribute.name]
        inputs = _gather(attribute, labelled, known, samples, store, card)
        for name, frame in _measure_attribute(inputs, store):
            parts[name].append(frame)
    frames = {name: pl.concat(own) for name, own in parts.items()}
    put_quality(frames, store, made_from=made_from)
    judged = frames["label_quality"]["attribute"].n_unique()
    LOG.info("label quality: %d of %d attributes are judged", judged, len(resolved.attributes))
    return frames


def _refuse_changed(resolved: ResolvedAudit, manifest: LabelManifest) -> None:
    asked = {one.name: hash_attribute(one) for one in resolved.attributes}
    made = {one.name: one.asked for one in manifest.attributes if one.source != CLUSTER}
    changed = sorted(
        name for name in asked.keys() | made.keys() if asked.get(name) != made.get(name)
    )
    if changed:
        raise SearchError(
            f"attributes {', '.join(changed)} changed since they were labelled; run "
            "`weakspot label` first"
        )


def _hash_inputs(
    resolved: ResolvedAudit, manifest: LabelManifest, known: pl.DataFrame, samples: pl.DataFrame
) -> str:
    ids = [(one.name, one.label_id) for one in manifest.attributes if one.source != CLUSTER]
    wanted = [(one.name, one.wanted_precision) for one in resolved.attributes]
    digest = hashlib.sha256(repr((ids, wanted, manifest.encoder_id)).encode())
    digest.update(known.sort("attribute", "sample_id").write_csv().encode())
    digest.update(samples.select("sample_id", "content_key").sort("sample_id").write_csv().encode())
    return digest.hexdigest()[:16]


def _read_card(store: Store, encoder_id: str | None) -> EncoderCard | None:
    if encoder_id is None:
        return None
    path = store.embeddings / encoder_id / "encoder.json"
    return EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))


def _gather(
    attribute: Attribute,
    labelled: LabelledAttribute,
    known: pl.DataFrame,
    samples: pl.DataFrame,
    store: Store,
    card: EncoderCard | None,
) -> _Inputs:
    own = known.filter(pl.col("attribute") == attribute.name).drop("attribute")
    rows = (
        select_targets(samples, attribute)
        .select("sample_id", "content_key", cluster_id=pl.coalesce("parent_id", "sample_id"))
        .join(own, on="sample_id", how="left")
        .sort("sample_id")
    )
    prompts = None
    if attribute.kind == "prompts" and card is not None:
        texts = list_prompts(attribute)
        prompts = read_vectors(texts, store.prompts, encoder_id=card.encoder_id)
    return _Inputs(attribute, labelled, rows, prompts, card.logit_scale if card else 1.0)


def _measure_attribute(inputs: _Inputs, store: Store) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the name and the rows of each table that can be made of one attribute."""
    judged = inputs.judged
    labels = store.read_labels([inputs.labelled.label_id]).select("sample_id", "value")
    methods: dict[str, pl.DataFrame] = {}
    if inputs.prompts is not None:
        compared = judged.head(MOST_COMPARED)
        modes: Sequence[Ensemble] = () if judged.is_empty() else ENSEMBLES
        rows = inputs.rows.head(MOST_UNJUDGED) if judged.is_empty() else compared
        weighed = _weigh(inputs, rows, store, modes=modes)
        own = weighed.pop(_OWN, None)
        methods = {name: one.labels for name, one in weighed.items()}
        mixtures = {} if own is None else fit_mixtures(own)
        if own is not None:
            name = inputs.attribute.name
            yield "label_thresholds", list_mixtures(own, mixtures, attribute=name)
        if own is not None and not judged.is_empty():
            first = mixtures.get(own.values[0])
            if len(own.values) == 2 and first is not None and first.supported:
                methods["mixture"] = cut_at_mixture(own, first)
            yield from _measure_scores(inputs, own, compared)
            if (probe := _train_probe(inputs, compared, store)) is not None:
                methods["probe"] = probe.label().select("sample_id", "value")
                if inputs.judged_by == "checks":  # how many of them a person should make
                    yield "label_learning", _trace(inputs, probe)
    methods[IN_USE] = labels
    for method, predicted in methods.items():
        yield from _judge(inputs, method, predicted)


def _train_probe(inputs: _Inputs, judged: pl.DataFrame, store: Store) -> JudgedProbe | None:
    """Train a probe on the judged samples, each held out in turn; None where too few are."""
    if inputs.prompts is None:
        return None
    vectors = read_sample_vectors(store, judged, encoder_id=inputs.prompts.encoder_id)
    prototypes = make_prototypes(inputs.attribute, inputs.prompts, logit_scale=inputs.logit_scale)
    return train_judged(judged, vectors, attribute=inputs.attribute, prototypes=prototypes)


def _trace(inputs: _Inputs, probe: JudgedProbe) -> pl.DataFrame:
    """Return the LEARNING_CURVE of a probe, and log what more checks would bring."""
    curve = probe.trace()
    if said := describe_gain(curve):
        LOG.info("%s, by a probe: %s", inputs.attribute.name, said)
    return curve


def _judge(
    inputs: _Inputs, method: str, predicted: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Judge what one method says of the samples whose truth is known."""
    judged = judge_labels(
        predicted,
        inputs.judged,
        inputs.rows.select("sample_id", "cluster_id"),
        values=inputs.labelled.values,
    )
    name = inputs.attribute.name
    yield (
        "label_quality",
        measure_quality(judged, attribute=name, method=method, judged_by=inputs.judged_by),
    )
    yield "label_confusion", count_confusion(judged, attribute=name, method=method)


def _weigh(
    inputs: _Inputs, rows: pl.DataFrame, store: Store, *, modes: Sequence[Ensemble]
) -> dict[str, Weighed]:
    """Weigh the values of an attribute of prompts, by its own ensemble and by each of `modes`."""
    prompts = inputs.prompts
    parts: dict[str, list[Weighed]] = {}
    for block in rows.iter_slices(BLOCK):
        if prompts is None:
            break
        vectors = read_sample_vectors(store, block, encoder_id=prompts.encoder_id)
        for name, mode in [(_OWN, None), *((mode, mode) for mode in modes)]:
            weighed = weigh_ensemble(
                inputs.attribute,
                vectors,
                prompts,
                sample_ids=vectors.keys,
                logit_scale=inputs.logit_scale,
                ensemble=mode,
            )
            parts.setdefault(name, []).append(weighed)
    return {name: merge_weighed(own) for name, own in parts.items()}


def _measure_scores(
    inputs: _Inputs, own: Weighed, judged: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Judge the scores: calibration, reliability, and the margins for the wanted precision."""
    name = inputs.attribute.name
    known = pl.DataFrame({"sample_id": own.sample_ids}).join(
        judged, on="sample_id", how="left", maintain_order="left"
    )
    weights = weigh_inclusion(known["inclusion"])
    right = (known["value"] == own.labels["value"]).to_numpy()
    scores = {None: (own.score, right)} | {
        value: (own.probabilities[:, code], (known["value"] == value).to_numpy())
        for code, value in enumerate(own.values)
    }
    for value, (score, hits) in scores.items():
        calibrated = calibrate_scores(
            score, hits.astype(float), weights=weights, cluster_ids=known["cluster_id"]
        )
        if calibrated is not None:
            yield "label_calibration", measure_calibration(calibrated, attribute=name, value=value)
            yield "label_reliability", list_reliability(calibrated, attribute=name, value=value)
    wanted = inputs.attribute.wanted_precision or DEFAULT_PRECISION
    thresholds = find_thresholds(own, judged, wanted=wanted)
    yield "label_thresholds", list_thresholds(thresholds, attribute=name, origin=inputs.judged_by)
