"""Tuning the head of an encoder on stored vectors: nothing is embedded again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.tuning.tuning_set import CHOOSE, JUDGE, TRAIN, TuningSet
from pipeline.arrays import Array, Floats, Ints
from pipeline.tables.tuning_tables import TUNING
from pipeline.tuning.head_training import Target, TuneSettings, train_head, turn
from pipeline.tuning.judge_head import (
    Change,
    compare_hits,
    describe_probe,
    describe_target,
    join_hits,
    judge_values,
    weigh_hits,
)
from pipeline.tuning.step_choice import STEPS, choose_step, draw_curve

_TAUGHT = 20_000  # samples that a probe is trained on, at most
_STRENGTH = 1.0  # of the probe's regression: sklearn's C


@dataclass(frozen=True)
class TunedHead:
    """What tuning made.

    step: how far to go, None where no step is allowed. matrix: (d, d) of that step. curve: CURVE on
    groups to choose by. table: TUNING on groups to judge by; with the chosen step as "tuned", or
    the whole way where none is allowed. gain, loss: of "tuned", on those, as plain_loss of training
    without a background and probe_gain of the probes.
    """

    step: float | None
    matrix: Floats
    curve: pl.DataFrame
    table: pl.DataFrame
    gain: Change
    loss: Change
    plain_loss: Change
    probe_gain: Change


def tune_head(
    given: TuningSet,
    *,
    keep: float,
    settings: TuneSettings,
    with_background: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> TunedHead:
    """Train the map, choose a step by its gain and loss, and judge that on other groups.

    keep: the largest loss of the background. with_background: keep what the untuned encoder says of
    words while training; the step is chosen by the background in any case.
    """
    learned = given.parts == TRAIN
    targets = [_select(one, learned) for one in given.targets.values()]
    rows, scale = given.vectors[learned], given.logit_scale
    words = given.words if with_background else given.words[:0]
    residual = train_head(
        rows, targets, words, logit_scale=scale, settings=settings, progress=progress
    )
    plain = residual
    if with_background:
        plain = train_head(rows, targets, words[:0], logit_scale=scale, settings=settings)
    compared = [_compare(given, CHOOSE, residual, step) for step in STEPS]
    curve = draw_curve(STEPS, *zip(*compared, strict=True), keep=keep)
    step = choose_step(curve)
    shown = 1.0 if step is None else step
    gain, loss = _compare(given, JUDGE, residual, shown)
    probes = {name: _train_probe(given, one) for name, one in given.targets.items()}
    return TunedHead(
        step=step,
        matrix=np.eye(len(residual)) + shown * residual,
        curve=curve,
        table=_describe(given, residual, plain, shown, probes),
        gain=gain,
        loss=loss,
        plain_loss=_compare(given, JUDGE, plain, 1.0)[1],
        probe_gain=_compare_probes(given, probes),
    )


def _select(target: Target, rows: Array) -> Target:
    return Target(target.captions, target.owners, target.classes[rows])


def _compare(given: TuningSet, part: int, residual: Floats, step: float) -> tuple[Change, Change]:
    """Return the gain of the targets and the loss of the background after a step."""
    rows = given.parts == part
    before, after = given.vectors[rows], turn(given.vectors[rows], residual, step=step)
    groups = given.groups.filter(pl.Series(rows))
    gain = _compare_all(given.targets, rows, before, after, groups)
    if given.background:
        change = _compare_all(given.background, rows, before, after, groups)
        return gain, Change(-change.value, -change.high, -change.low)
    words = given.words.T
    same = (before @ words).argmax(axis=1) == (after @ words).argmax(axis=1)
    change = compare_hits(np.ones(len(same)), same.astype(np.float64), groups)
    return gain, Change(-change.value, -change.high, -change.low)


def _compare_all(
    attributes: Mapping[str, Target], rows: Array, before: Array, after: Array, groups: pl.Series
) -> Change:
    """Return the change of the mean balanced accuracy of attributes."""
    sides: list[list[tuple[Floats, pl.Series]]] = [[], []]
    for target in attributes.values():
        own = _select(target, rows)
        known = groups.filter(pl.Series(own.classes >= 0))
        for side, vectors in zip(sides, (before, after), strict=True):
            side.append((weigh_hits(judge_values(vectors, own), own.classes), known))
    (first, ids), (second, _) = (join_hits(side) for side in sides)
    return compare_hits(first, second, ids)


def _train_probe(given: TuningSet, target: Target) -> Ints:
    """Return (n,) values by a logistic regression on the groups to learn from."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    learned = np.flatnonzero((given.parts == TRAIN) & (target.classes >= 0))
    if len(learned) > _TAUGHT:
        learned = np.sort(np.random.default_rng(0).choice(learned, _TAUGHT, replace=False))
    middle = given.vectors[learned].mean(axis=0)
    size = float(np.sqrt(((given.vectors[learned] - middle) ** 2).sum(axis=1).mean())) or 1.0
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1_000)
    with threadpool_limits(1):
        model.fit((given.vectors[learned] - middle) / size, target.classes[learned])
    values: Ints = model.predict((given.vectors - middle) / size).astype(np.int64)
    return values


def _compare_probes(given: TuningSet, probes: Mapping[str, Ints]) -> Change:
    """Return what probes gain over the untuned encoder, on the groups to judge by."""
    rows = given.parts == JUDGE
    groups = given.groups.filter(pl.Series(rows))
    sides: list[list[tuple[Floats, pl.Series]]] = [[], []]
    for name, target in given.targets.items():
        own = _select(target, rows)
        known = groups.filter(pl.Series(own.classes >= 0))
        untuned = judge_values(given.vectors[rows], own)
        for side, values in zip(sides, (untuned, probes[name][rows]), strict=True):
            side.append((weigh_hits(values, own.classes), known))
    (first, ids), (second, _) = (join_hits(side) for side in sides)
    return compare_hits(first, second, ids)


def _describe(
    given: TuningSet, residual: Floats, plain: Floats, step: float, probes: Mapping[str, Ints]
) -> pl.DataFrame:
    """Return TUNING of all attributes and ways, on the groups to judge by."""
    rows = given.parts == JUDGE
    vectors = given.vectors[rows]
    ways = {
        "untuned": vectors,
        "tuned": turn(vectors, residual, step=step),
        "plain": turn(vectors, plain),
    }
    parts = [pl.DataFrame(schema=dict(TUNING))]
    for name, target in {**given.targets, **given.background}.items():
        own = _select(target, rows)
        parts += [describe_target(name, way, one, own) for way, one in ways.items()]
        if name in probes:
            parts.append(describe_probe(name, probes[name][rows], own.classes))
    return pl.concat(parts)
