"""An attribute's page beyond its table: how certain its labels are, samples, prompts, quality."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from reports.models import LabelQualityReport
from reports.parts.catalogue import Words
from reports.parts.charts import draw_bar, make_scale
from reports.parts.numbers import format_count, format_number
from reports.site_models import AttributeEvidence
from reports.views.label_quality import QualityView, view_label_quality
from reports.views.site.shots import GalleryView, view_gallery


@dataclass(frozen=True)
class AttributePageView:
    """scores: value -> (range, count, bar) of its labels, lowest score first. numbers: the same."""

    scores: list[tuple[str, list[tuple[str, str, Markup]]]]
    numbers: list[tuple[str, str, Markup]]
    galleries: list[GalleryView]
    prompts: Mapping[str, tuple[str, ...]]
    templates: str
    quality: QualityView | None


def view_attribute_page(
    name: str, evidence: AttributeEvidence, quality: LabelQualityReport | None, words: Words
) -> AttributePageView:
    """Return what the page of the attribute `name` shows below its table of values."""
    galleries = {"most": evidence.most, "least": evidence.least, "unknown": evidence.unknown}
    return AttributePageView(
        scores=_view_scores(evidence.scores, words),
        numbers=_draw_bins(evidence.numbers, words),
        galleries=[
            view_gallery(f"attribute.{kind}", shots, words)
            for kind, shots in galleries.items()
            if shots
        ],
        prompts=evidence.prompts,
        templates=", ".join(evidence.templates),
        quality=None
        if quality is None
        else view_label_quality(_select_quality(name, quality), words),
    )


def _view_scores(
    scores: pl.DataFrame, words: Words
) -> list[tuple[str, list[tuple[str, str, Markup]]]]:
    """Return the bins of each value; its largest bin has the longest bar."""
    values = scores.partition_by("value", as_dict=True, maintain_order=True)
    return [(str(value), _draw_bins(own.sort("low"), words)) for (value,), own in values.items()]


def _draw_bins(bins: pl.DataFrame, words: Words) -> list[tuple[str, str, Markup]]:
    scale = make_scale(float(n) for n in bins["n"])
    return [
        (
            words.say(
                "{low} to {high}",
                low=format_number(row["low"]),
                high=format_number(row["high"]),
            ),
            format_count(row["n"]),
            draw_bar(float(row["n"]), scale, kind="share"),
        )
        for row in bins.to_dicts()
    ]


def _select_quality(name: str, quality: LabelQualityReport) -> LabelQualityReport:
    own = pl.col("attribute") == name
    return LabelQualityReport(
        quality=quality.quality.filter(own),
        calibration=quality.calibration.filter(own),
        reliability=quality.reliability.filter(own),
    )
