"""The regions of one system as tables: numbers, words, values, samples to show and a draft."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints, Mask
from pipeline.regions.region_draft import (
    LEAST_FIT,
    fit_prompts,
    write_given_draft,
    write_prompt_draft,
)
from pipeline.regions.region_values import list_values
from pipeline.regions.region_words import choose_words, measure_words, subtract_attributes
from pipeline.regions.weak_regions import Region, RegionSearch
from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.tables import REGION_MEMBERS, REGIONS, check, empty

SHOWN = 8  # samples of each kind


@dataclass(frozen=True)
class RegionRows:
    """The n rows that were searched.

    sample_ids, image_ids: (n,). vectors: (n, d) of unit length. attributes: n rows, a column each.
    """

    sample_ids: pl.Series
    image_ids: pl.Series
    vectors: NDArray[np.float32]
    errors: Floats
    attributes: pl.DataFrame


@dataclass(frozen=True)
class WordVectors:
    """Words, and for each the (d,) unit vector of its prompts: vectors (w, d)."""

    words: Sequence[str]
    vectors: Floats


def tabulate_regions(
    search: RegionSearch, rows: RegionRows, words: WordVectors, *, system: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return REGIONS and REGION_MEMBERS of a search.

    words: none where the encoder has no text tower; drafts then name samples.
    """
    left = subtract_attributes(rows.vectors, rows.attributes)
    records, members = [], [empty(REGION_MEMBERS)]
    for rank, region in enumerate(search.regions, 1):
        record = {"rank": rank, **_measure(region, search.held_out, rows)}
        record |= _describe(region, rows, left, words, system=system, rank=rank)
        records.append(record)
        members.append(_list_members(region, search.held_out, rows, rank=rank))
    frame = pl.DataFrame(records, schema=dict(REGIONS)) if records else empty(REGIONS)
    return check(frame, REGIONS, table="regions"), pl.concat(members)


def _measure(region: Region, held_out: Mask, rows: RegionRows) -> dict[str, object]:
    inside = region.members & ~held_out
    values = number_clusters(rows.errors - region.expected, rows.image_ids)
    errors = rows.errors
    estimate = estimate_mean(values, np.flatnonzero(inside))
    low, high = _shift_interval(errors, region, inside, rows.image_ids)
    held: dict[str, object] = dict.fromkeys(
        ("holdout_n", "holdout_error", "holdout_expected", "holdout_p")
    )
    if held_out.any():
        own = region.members & held_out
        held = {
            "holdout_n": int(own.sum()),
            "holdout_error": _mean(errors[own]),
            "holdout_expected": _mean(region.expected[own]),
            "holdout_p": region.holdout_p,
        }
    return {
        "n": int(inside.sum()),
        "images": rows.image_ids.filter(pl.Series(inside)).n_unique(),
        "error": _mean(errors[inside]),
        "rest_error": _mean(errors[~region.members & ~held_out]),
        "expected_error": _mean(region.expected[inside]),
        "difference": estimate.value,
        "ci_low": low,
        "ci_high": high,
        **{name: getattr(region, name) for name in ("z", "p", "q", "p_family", "shape", "state")},
        **held,
        "folded": region.folded,
    }


def _shift_interval(
    errors: Floats, region: Region, inside: Mask, image_ids: pl.Series
) -> tuple[float | None, float | None]:
    """Return the interval of the region's error, less the mean of what is expected."""
    estimate = estimate_mean(number_clusters(errors, image_ids), np.flatnonzero(inside))
    expected = float(region.expected[inside].mean())
    low, high = (end - expected for end in estimate.interval)
    return (None, None) if np.isnan(low) else (low, high)


def _describe(
    region: Region,
    rows: RegionRows,
    left: Floats,
    words: WordVectors,
    *,
    system: str,
    rank: int,
) -> dict[str, object]:
    inside = region.members
    typical, failing = _pick_samples(region, rows)
    name = f"region_{rank}"
    described, pair = [], None
    if len(words.words):
        effects = measure_words(left, inside, words.vectors)
        described = choose_words(words.words, effects, words.vectors).to_dicts()
        pair = fit_prompts(rows.vectors, inside, words.words, effects, words.vectors)
    if pair is not None and pair.fit >= LEAST_FIT:
        draft = write_prompt_draft(pair, name=name, system=system, rank=rank)
    else:
        draft = write_given_draft(name=name, system=system, rank=rank)
    return {
        "words": described,
        "values": list_values(rows.attributes, inside).to_dicts(),
        "typical": typical,
        "failing": failing,
        "draft_kind": "prompts" if pair is not None and pair.fit >= LEAST_FIT else "given",
        "draft_fit": None if pair is None else pair.fit,
        "draft": draft,
    }


def _pick_samples(region: Region, rows: RegionRows) -> tuple[list[str], list[str]]:
    """Return the samples nearest to the region's mean vector, and those of the largest errors.

    One of an image each; of equal errors the more typical sample comes first.
    """
    members = np.flatnonzero(region.members)
    mean = rows.vectors[members].mean(axis=0)
    near = members[np.argsort(-(rows.vectors[members] @ mean), kind="stable")]
    by_position = members[np.argsort(region.position[members], kind="stable")]
    failed = by_position[rows.errors[by_position] > 0]
    worst = failed[np.argsort(-rows.errors[failed], kind="stable")]
    return _take_images(near, rows), _take_images(worst, rows)


def _take_images(order: Ints, rows: RegionRows) -> list[str]:
    images = rows.image_ids.gather(order)
    first = images.is_first_distinct()
    return rows.sample_ids.gather(order).filter(first).head(SHOWN).to_list()


def _list_members(region: Region, held_out: Mask, rows: RegionRows, *, rank: int) -> pl.DataFrame:
    members = np.flatnonzero(region.members)
    position = np.empty(len(held_out), np.int64)
    for half in (held_out, ~held_out):
        position[half] = np.rint(region.position[half] * half.sum()).astype(np.int64) + 1
    frame = pl.DataFrame(
        {
            "rank": np.full(len(members), rank, np.int64),
            "sample_id": rows.sample_ids.gather(members),
            "position": position[members],
            "error": rows.errors[members],
            "held_out": held_out[members],
        }
    )
    ordered = frame.sort("held_out", "position")
    return check(ordered, REGION_MEMBERS, table="region members")


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
