"""Fitting what an audit teaches of its findings, to its own samples or to windows of its images."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.mining.audited_findings import AuditedFindings
from flows.mining.label_weights import LabelModels
from flows.mining.mining_vectors import MiningVectors, add_box_keys
from flows.mining.pool_model import By, PoolModel, ScoredRows, combine_scores, read_pairs
from flows.run.resolved_audit import ResolvedAudit
from pipeline.arrays import Array, Floats, Ints, Mask
from pipeline.config.dataset import CropRule
from pipeline.exceptions import ConfigError, StoreError
from pipeline.mining.anchor_boxes import choose_anchors, cut_windows, match_windows
from pipeline.mining.hit_probability import Calibration, calibrate, to_logit
from pipeline.mining.likeness import fit_likeness
from pipeline.mining.unit_scores import is_enough, join_members, take_best
from pipeline.workspace.store import Store
from reports.parts.words import write_predicates

_IMAGES = 1_000  # audited images whose windows teach what members look like
WINDOWS = 16  # of an image, at most
_BENDS = (0.8, 0.95)  # quantiles of scores of units: what is mined has the highest
_LEAST_MEMBERS = 10  # of a finding, among what is learned from


@dataclass(frozen=True)
class _Lessons:
    """What is learned from: rows, which of them are members, and what is known of their units.

    members: (n, f). objects: (n,) whether a window shows any object, None without windows. images:
    (n,) ids. unit_members, unit_known, unit_weights: (u, f). unit_images: (u,).
    """

    rows: ScoredRows
    members: Mask
    objects: Mask | None
    images: pl.Series
    unit_members: Floats
    unit_known: Floats
    unit_weights: Floats
    unit_images: pl.Series
    anchors: Floats | None


def fit_model(
    resolved: ResolvedAudit,
    store: Store,
    audited: AuditedFindings,
    vectors: MiningVectors,
    labels: LabelModels,
    *,
    by: By,
    windowed: bool,
) -> PoolModel:
    """Learn from the audit how its findings' members are recognised.

    windowed: among windows of whole images, since the pool has no boxes. Raises ConfigError where
    a finding has too few members, StoreError where samples have no vectors.
    """
    if windowed:
        lessons = _cut_lessons(resolved, store, audited, vectors)
    else:
        lessons = _take_samples(resolved, store, audited, vectors)
    shown, around, there = read_pairs(lessons.rows, vectors)
    if not there.any():
        raise StoreError(f"{store.folder}: no audited sample has a vector; see its rejects")
    members, images = lessons.members[there], lessons.images.filter(pl.Series(there))
    notes = _check_findings(audited, labels, members, by=by)
    objects = None if lessons.objects is None else lessons.objects[there]
    taught: Array = members if objects is None else np.column_stack([members, objects])
    likeness = fit_likeness(np.hstack([shown, around]), taught, images)
    shows, share = None, None
    if objects is not None:
        shows = calibrate(likeness.held_out[:, [-1]], objects, images, draws=0)
        share = shows.weigh(likeness.held_out[:, [-1]])
    weights = labels.weigh(audited.findings, shown, around)
    scores = combine_scores(weights, likeness.held_out, share, by=by)
    of_rows = [
        calibrate(scores[:, place], members[:, place], images, draws=0)
        for place in range(members.shape[1])
    ]
    logits = np.column_stack(
        [to_logit(one.weigh(scores[:, place])) for place, one in enumerate(of_rows)]
    )
    units = take_best(logits, lessons.rows.units[there], len(lessons.unit_images))
    of_units, truthful = _fit_units(units, lessons)
    return PoolModel(
        audited.findings, by, labels, likeness, lessons.anchors, shows, tuple(of_rows),
        of_units, truthful, tuple(notes),
    )  # fmt: skip


def _fit_units(
    units: Floats, lessons: _Lessons
) -> tuple[tuple[Calibration, ...], tuple[bool, ...]]:
    """Fit probabilities of units, to what is truly known of them where that is enough."""
    found, truthful = [], []
    for place in range(units.shape[1]):
        known = lessons.unit_known[:, place]
        enough = is_enough(known)
        target = known if enough else lessons.unit_members[:, place]
        rows = np.isfinite(target)
        found.append(
            calibrate(
                units[rows][:, [place]], target[rows] == 1,
                lessons.unit_images.filter(pl.Series(rows)),
                weights=lessons.unit_weights[rows, place] if enough else None,
                bends=_BENDS,
            )
        )  # fmt: skip
        truthful.append(enough)
    return tuple(found), tuple(truthful)


def refuse_unweighed(audited: AuditedFindings, labels: LabelModels, *, by: By) -> None:
    """Raise ConfigError where a finding is to be found by labels of which no model knows any."""
    for finding in audited.findings:
        unweighed = labels.list_unweighed(finding)
        if by is By.labels and len(unweighed) == len(finding.predicates):
            raise ConfigError(
                f"--by labels: no model gives probabilities of {', '.join(unweighed)}, all that "
                f"finding {finding.rank} ({write_predicates(finding.predicates)}) is made of; use "
                "--by likeness"
            )


def _check_findings(
    audited: AuditedFindings, labels: LabelModels, members: Mask, *, by: By
) -> list[str]:
    """Return what to know of each finding; raises ConfigError where one cannot be mined for."""
    notes = []
    for place, finding in enumerate(audited.findings):
        words = f"finding {finding.rank} ({write_predicates(finding.predicates)})"
        unweighed = labels.list_unweighed(finding)
        if unweighed and by is not By.likeness:
            used = "likeness alone finds it" if by is By.both else "it is left out"
            notes.append(f"{words}: no model gives probabilities of {', '.join(unweighed)}: {used}")
        if (count := int(members[:, place].sum())) < _LEAST_MEMBERS:
            raise ConfigError(
                f"{words}: only {count} of what is learned from belong to it, and "
                f"{_LEAST_MEMBERS} are needed; leave it out with --finding"
            )
    return notes


def _take_samples(
    resolved: ResolvedAudit, store: Store, audited: AuditedFindings, vectors: MiningVectors
) -> _Lessons:
    """Learn from the audited samples themselves: each is a row and a unit."""
    samples = store.read_samples()
    keys = samples.select("sample_id", "content_key")
    own = pl.DataFrame({"sample_id": audited.sample_ids, "image_id": audited.image_ids})
    own = own.join(keys, on="sample_id", how="left", maintain_order="left").join(
        keys.rename({"sample_id": "image_id", "content_key": "image_key"}),
        on="image_id", how="left", maintain_order="left",
    )  # fmt: skip
    embed_samples(samples, own["sample_id"], vectors, resolved, what="audited samples")
    rows = ScoredRows(own["content_key"], own["image_key"], np.arange(own.height))
    return _Lessons(
        rows=rows,
        members=audited.members,
        objects=None,
        images=audited.image_ids,
        unit_members=audited.members.astype(np.float64),
        unit_known=audited.known,
        unit_weights=audited.weights,
        unit_images=audited.image_ids,
        anchors=None,
    )


def _cut_lessons(
    resolved: ResolvedAudit, store: Store, audited: AuditedFindings, vectors: MiningVectors
) -> _Lessons:
    """Learn from windows of audited images, of which is known which show a member."""
    samples = store.read_samples()
    objects = samples.filter(pl.col("parent_id").is_not_null())
    images = samples.filter(pl.col("sample_id").is_in(audited.image_ids.unique().implode()))
    shares = objects.select(
        pl.col("x") / pl.col("width"), pl.col("y") / pl.col("height"),
        pl.col("w") / pl.col("width"), pl.col("h") / pl.col("height"),
    ).drop_nulls()  # fmt: skip
    anchors = choose_anchors(shares.to_numpy(), count=WINDOWS)
    drawn = images.with_columns(order=pl.col("sample_id").hash(seed=0)).sort("order", "sample_id")
    drawn = drawn.head(_IMAGES).sort("sample_id")
    windows = make_windows(drawn, anchors, resolved.audit.dataset.crop)
    root = resolved.audit.dataset.root
    vectors.embed(drawn, root, what="audited images")
    vectors.embed(windows, root, what=f"windows of {drawn.height:,} audited images")
    shown = match_windows(windows, objects)
    places = pl.DataFrame(
        {"shown": audited.sample_ids, "place": np.arange(len(audited.sample_ids))}
    )
    place = pl.DataFrame({"shown": shown}).join(
        places, on="shown", how="left", maintain_order="left"
    )["place"]
    members = np.zeros((windows.height, audited.members.shape[1]), np.bool_)
    members[place.is_not_null().to_numpy()] = audited.members[place.drop_nulls().to_numpy()]
    known = join_members(audited.known, audited.image_ids, drawn["sample_id"])
    certain = (audited.weights == 1).all(axis=0)  # of checks of some objects images say too little
    return _Lessons(
        rows=number_windows(windows, drawn),
        members=members,
        objects=shown.is_not_null().to_numpy(),
        images=windows["image_id"],
        unit_members=join_members(audited.members, audited.image_ids, drawn["sample_id"]),
        unit_known=np.where(certain, known, np.nan),
        unit_weights=np.ones(known.shape),
        unit_images=drawn["sample_id"],
        anchors=anchors,
    )


def make_windows(images: pl.DataFrame, anchors: Floats, crop: CropRule) -> pl.DataFrame:
    """Return the windows of images: image_id, path, x, y, w, h, content_key and image_key."""
    keys = images.select(image_id="sample_id", content_key="content_key", image_key="content_key")
    windows = cut_windows(images, anchors).join(
        keys, on="image_id", how="left", maintain_order="left"
    )
    return add_box_keys(windows, crop)


def number_windows(windows: pl.DataFrame, images: pl.DataFrame) -> ScoredRows:
    """Return windows as rows that are scored; a unit is the place of the image in `images`."""
    places = images.select(image_id="sample_id").with_row_index("unit")
    units: Ints = (
        windows.join(places, on="image_id", how="left", maintain_order="left")["unit"]
        .cast(pl.Int64)
        .to_numpy()
    )
    return ScoredRows(windows["content_key"], windows["image_key"], units)


def embed_samples(
    samples: pl.DataFrame,
    wanted: pl.Series,
    vectors: MiningVectors,
    resolved: ResolvedAudit,
    *,
    what: str,
) -> None:
    """Embed the wanted samples of the audit, and the images around them, where that is missing."""
    own = samples.filter(pl.col("sample_id").is_in(wanted.implode()))
    parents = samples.filter(pl.col("sample_id").is_in(own["parent_id"].drop_nulls().implode()))
    vectors.embed(pl.concat([own, parents]), resolved.audit.dataset.root, what=what)
