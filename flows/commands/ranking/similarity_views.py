"""What `weakspot similarity` shows, as values: for the picture and for --json."""

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.ranking.pair_quantiles import LEVELS, Spread, find_quantiles
from reports.parts.similarity_chart import ClassView, SpreadView

if TYPE_CHECKING:
    from flows.stages.ranking.similarity import CaptionComparison, ClassComparison
    from pipeline.ranking.caption_similarity import CaptionSimilarity, PairMean

SHOWN = 20  # classes that are printed and drawn


def list_spread_views(
    by_class: "ClassComparison | None", captioned: "CaptionComparison | None"
) -> list[SpreadView]:
    """Return the histograms of the picture."""
    views = []
    if by_class is not None:
        total = by_class.table.row(0, named=True)
        views.append(
            SpreadView(
                f"images by {by_class.classes.values.name}", ("same class", "other class"),
                (by_class.spread.inner, by_class.spread.inter), (total["inner"], total["inter"]),
            )
        )  # fmt: skip
    if captioned is not None:
        found, names = captioned.found, ("same image", "other image")
        views += [
            SpreadView(
                "image and caption", names,
                (found.image_caption.inner, found.image_caption.inter),
                (found.own.mean, found.other.mean),
            ),
            SpreadView(
                "two captions", names,
                (found.caption_caption.inner, found.caption_caption.inter),
                (found.captions_own.mean, found.captions_other.mean),
            ),
        ]  # fmt: skip
    return views


def list_class_views(by_class: "ClassComparison | None") -> list[ClassView]:
    """Return the largest classes for the picture."""
    return [] if by_class is None else [
        ClassView(
            row["class"],
            (row["inner"], row["inner_low"], row["inner_high"]),
            (row["inter"], row["inter_low"], row["inter_high"]),
        )
        for row in select_classes(by_class.table).to_dicts()
    ]  # fmt: skip


def select_classes(table: pl.DataFrame) -> pl.DataFrame:
    """Return the largest classes of CLASS_SIMILARITY, largest first."""
    rows = table.filter(pl.col("class").is_not_null())
    return rows.sort("samples", "class", descending=[True, False]).head(SHOWN)


def list_means(found: "CaptionSimilarity") -> "dict[str, PairMean]":
    """Return the means of the kinds of pairs by their names."""
    return {
        "image and own caption": found.own,
        "image and another's caption": found.other,
        "two captions of an image": found.captions_own,
        "captions of two images": found.captions_other,
        "two images": found.images,
    }


def to_row(pairs: "PairMean") -> dict[str, Any]:
    """Return a mean as JSON holds it; null where it is no number."""
    values = {"mean": pairs.mean, "ci_low": pairs.low, "ci_high": pairs.high}
    return {name: _drop_nan(v) for name, v in values.items()} | {"pairs": pairs.pairs}


def describe_spread(spread: Spread) -> dict[str, Any]:
    """Return the quantiles of drawn pairs, and how well the two kinds are told apart."""
    levels = [f"q{round(100 * level):02}" for level in LEVELS]
    return {
        "inner": dict(zip(levels, find_quantiles(spread.inner), strict=True)),
        "inter": dict(zip(levels, find_quantiles(spread.inter), strict=True)),
        "drawn": [len(spread.inner), len(spread.inter)],
        "separation": _drop_nan(spread.separation),
    }


def _drop_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
