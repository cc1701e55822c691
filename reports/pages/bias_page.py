"""The page of word probes alone: what leans towards a group, and what neutral words do."""

import polars as pl

from reports.parts.templates import render_page
from reports.views.trusting.bias import view_bias


def build_bias_page(
    probes: pl.DataFrame,
    *,
    attribute: str,
    images: int,
    adjust: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> str:
    """Return one self-contained HTML page without scripts and without any image of the audit.

    probes: PROBES. images: how many were used. adjust: the covariates.
    """
    return render_page(
        "bias.html",
        title=f"Words on images by {attribute}",
        bias=view_bias(probes, attribute=attribute, adjust=adjust, notes=notes),
        images=images,
    )
