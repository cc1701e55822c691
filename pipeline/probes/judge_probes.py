"""Probes of groups: what is shown of each pair of words, and what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.probes.contrast import (
    Contrast,
    Effects,
    make_contrast,
    measure_effects,
    standardize_contrast,
)
from pipeline.probes.image_null import permute_groups
from pipeline.probes.probe_file import ProbeFile, ProbePair
from pipeline.probes.probe_verdict import Evidence, decide
from pipeline.probes.word_null import WordNull, adjust_family, draw_word_null
from pipeline.probes.wordings import Cosines, spread_wordings
from pipeline.statistics.estimates import estimate_mean, number_clusters, subtract
from pipeline.tables import PROBES, check, empty

_ALL_OTHERS = "all others"
_LEAST_ROWS = 2  # of a side, below which nothing is measured


@dataclass(frozen=True)
class GroupedImages:
    """n images with their groups.

    attribute: the name. groups: (n,) value or null. clusters: (n,) person, else image. strata: (n,)
    as in `standardize_contrast`; None where nothing is adjusted for.
    """

    attribute: str
    groups: pl.Series
    clusters: pl.Series
    strata: Ints | None = None


@dataclass(frozen=True)
class ProbeSettings:
    """How probes are judged.

    neutral: pairs of neutral nouns. min_clusters: of a side. max_shift: of the gate. seed: of all
    that is drawn.
    """

    neutral: int = 400
    min_clusters: int = 30
    max_shift: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class _Side:
    """One group against the others."""

    group: str
    others: str
    contrast: Contrast
    adjusted: Contrast | None


def judge_probes(
    probes: Sequence[ProbeFile],
    cosines: Mapping[str, Cosines],
    images: GroupedImages,
    *,
    nouns: Sequence[str],
    settings: ProbeSettings,
) -> pl.DataFrame:
    """Return PROBES: one row a pair and a group, in the order of the files.

    cosines: of the images with all words of each file and with the nouns, by the file's name. Of
    an attribute with two values the second is compared with the first alone, not both ways.
    """
    sides = _list_sides(images)
    pairs = [(file, pair) for file in probes for pair in file.pairs]
    if not sides or not pairs:
        return empty(PROBES)
    margins = np.stack(
        [_subtract_words(cosines[file.name], pair) for file, pair in pairs], axis=1
    )  # (m, p)
    rows: list[dict[str, Any]] = []
    nulls: list[WordNull] = []
    owners: list[int] = []
    for side in sides:
        own = {file.name: _compare(file, cosines[file.name], side, nouns, settings)
               for file in probes}  # fmt: skip
        numbers = {name: len(nulls) + number for number, name in enumerate(own)}
        image_p = permute_groups(
            margins[side.contrast.rows], side.contrast.inside, seed=settings.seed
        )
        for place, (file, pair) in enumerate(pairs):
            row = _measure(pair, margins[:, place], images, side, own[file.name])
            rows.append({"subject": file.name, "image_p": float(image_p[place]), **row})
            owners.append(numbers[file.name])
        nulls += [one.null for one in own.values()]
    p_family = adjust_family(
        np.array([abs(row["d"]) for row in rows]), nulls, np.array(owners),
        np.tile(np.arange(len(pairs)), len(sides)), seed=settings.seed,
    )  # fmt: skip
    judged = [_judge(row, p, settings, has_strata=images.strata is not None)
              for row, p in zip(rows, p_family.tolist(), strict=True)]  # fmt: skip
    return check(pl.DataFrame(judged, schema=dict(PROBES)), PROBES, table="probes")


def _subtract_words(cosines: Cosines, pair: ProbePair) -> Floats:
    """Return (m,) how much nearer each image is to the first word than to the second."""
    first, second = cosines.stack((pair.first[0], pair.second[0])).T
    margins: Floats = first - second
    return margins


def _list_sides(images: GroupedImages) -> list[_Side]:
    values = images.groups.drop_nulls().unique().sort().to_list()
    clusters = images.clusters.rank("dense").cast(pl.Int64).to_numpy() - 1
    known = images.groups.is_not_null().to_numpy()
    sides = []
    for value in values[:1] if len(values) == 2 else values:
        inside: Mask = (images.groups == value).fill_null(value=False).to_numpy()
        outside = known & ~inside
        if min(inside.sum(), outside.sum()) < _LEAST_ROWS:
            continue
        others = values[1] if len(values) == 2 else _ALL_OTHERS
        adjusted = (
            None
            if images.strata is None
            else standardize_contrast(inside, outside, clusters, images.strata)
        )
        contrast = make_contrast(inside, outside, clusters)
        sides.append(_Side(value, others, contrast, adjusted))
    return sides


@dataclass(frozen=True)
class _Compared:
    """The words of one file on one contrast, with what neutral words do there.

    edges: by template. adjusted: within strata.
    """

    cosines: Cosines
    null: WordNull
    edges: Mapping[str, float]
    adjusted: WordNull | None


def _compare(
    file: ProbeFile,
    cosines: Cosines,
    side: _Side,
    nouns: Sequence[str],
    settings: ProbeSettings,
) -> _Compared:
    def draw(contrast: Contrast, template: str | None = None) -> WordNull:
        own = cosines.stack(nouns, template)[contrast.rows]
        return draw_word_null(own, contrast, pairs=settings.neutral, seed=settings.seed)

    return _Compared(
        cosines,
        draw(side.contrast),
        {template: draw(side.contrast, template).edge for template in file.templates},
        None if side.adjusted is None else draw(side.adjusted),
    )


def _measure(
    pair: ProbePair, margins: Floats, images: GroupedImages, side: _Side, compared: _Compared
) -> dict[str, Any]:
    """Return a row of PROBES without what depends on the other rows."""
    null = compared.null
    effects = measure_effects(margins[side.contrast.rows, None], side.contrast)
    d = float(effects.d[0])
    spread = spread_wordings(
        pair, compared.cosines, side.contrast, edges=compared.edges, sign=float(np.sign(d))
    )
    clusters, others = side.contrast.count_clusters()
    return {
        "first": pair.first[0],
        "second": pair.second[0],
        "attribute": images.attribute,
        "group": side.group,
        "others": side.others,
        "n": int(side.contrast.inside.sum()),
        "others_n": int((~side.contrast.inside).sum()),
        "clusters": clusters,
        "others_clusters": others,
        **_count_shares(margins, side.contrast, images.clusters),
        **_name_effects(effects, "d", "d_low", "d_high"),
        "null_median": null.median,
        "null_edge": null.edge,
        "percentile": float((null.drawn < abs(d)).mean()) if len(null.drawn) else None,
        "p": float(null.count_p(effects.d)[0]),
        "wordings": spread.count,
        "wordings_held": spread.held,
        "d_least": spread.least,
        "d_most": spread.most,
        **_adjust(margins, side.adjusted, compared.adjusted),
    }


def _count_shares(margins: Floats, contrast: Contrast, clusters: pl.Series) -> dict[str, Any]:
    """Return the shares nearer to the first word, and their difference."""
    nearer = (margins[contrast.rows] > 0).astype(np.float64)
    values = number_clusters(nearer, clusters.gather(contrast.rows))
    own = estimate_mean(values, np.flatnonzero(contrast.inside))
    other = estimate_mean(values, np.flatnonzero(~contrast.inside))
    shift, ends = subtract(own, other)
    return {
        "share": own.value, "share_low": own.interval[0], "share_high": own.interval[1],
        "others_share": other.value, "others_low": other.interval[0],
        "others_high": other.interval[1],
        "shift": shift, "shift_low": ends[0], "shift_high": ends[1],
    }  # fmt: skip


def _adjust(margins: Floats, contrast: Contrast | None, null: WordNull | None) -> dict[str, Any]:
    """Measure within strata, and what neutral pairs do there; nothing where that is not asked."""
    if contrast is None or null is None:
        return {}
    effects = measure_effects(margins[contrast.rows, None], contrast)
    return {
        **_name_effects(effects, "adjusted_d", "adjusted_low", "adjusted_high"),
        "adjusted_p": float(null.count_p(effects.d)[0]),
        "compared_share": contrast.compared_share,
    }


def _name_effects(effects: Effects, d: str, low: str, high: str) -> dict[str, float]:
    return {d: float(effects.d[0]), low: float(effects.low[0]), high: float(effects.high[0])}


def _judge(
    row: dict[str, Any], p_family: float, settings: ProbeSettings, *, has_strata: bool
) -> dict[str, Any]:
    """Return a whole row of PROBES: with the verdict, and nulls for numbers that do not exist."""
    evidence = Evidence(
        d=row["d"], low=row["d_low"], high=row["d_high"], p_family=p_family,
        held=row["wordings_held"], clusters=min(row["clusters"], row["others_clusters"]),
        adjusted_d=row.get("adjusted_d"), adjusted_p=row.get("adjusted_p"),
        is_adjusted=has_strata,
    )  # fmt: skip
    verdict = decide(evidence, min_clusters=settings.min_clusters)
    full = row | {
        "p_family": p_family,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "needed_n": verdict.needed,
        "gate": verdict.judge_shift(row["shift"], limit=settings.max_shift),
    }
    known = {name: full.get(name) for name in PROBES}
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in known.items()
    }
