"""A comparison of two runs as values: for JSON, and for a page."""

from typing import Any

import polars as pl

from flows.run.reading.compared_runs import ComparedRun
from pipeline.comparison.changes import Overall, judge_regressions
from reports.pages.comparison_page import ComparedAudit, ComparisonData

Sides = tuple[ComparedRun, ComparedRun]


def to_content(sides: Sides, overall: Overall, changes: pl.DataFrame) -> dict[str, Any]:
    """Return all of a comparison as values for JSON."""
    before, after = (
        {
            "audit": side.name,
            "run_id": side.run_id,
            "started_at": side.started_at,
            "system": side.system,
            "n": len(side.rows.errors),
            "notes": list(side.notes),
        }
        for side in sides
    )
    return {
        "before": before,
        "after": after,
        "shared_images": overall.shared_images,
        "error_before": overall.moments.before,
        "error_after": overall.moments.after,
        "change": overall.moments.change,
        "change_low": overall.low,
        "change_high": overall.high,
        "gate": judge_regressions(changes),
        "changes": changes.to_dicts(),
    }


def describe_comparison(sides: Sides, overall: Overall, changes: pl.DataFrame) -> ComparisonData:
    """Return all of a comparison as the page shows it."""
    moments = overall.moments
    before, after = (
        ComparedAudit(
            side.name, side.system, side.run_id, side.started_at, len(side.rows.errors), side.notes
        )
        for side in sides
    )
    return ComparisonData(
        before=before,
        after=after,
        shared_images=overall.shared_images,
        error_before=moments.before,
        error_after=moments.after,
        change=(moments.change, overall.low, overall.high),
        share=all(
            bool(((side.rows.errors >= 0) & (side.rows.errors <= 1)).all()) for side in sides
        ),
        changes=changes,
        gate=judge_regressions(changes),
    )
