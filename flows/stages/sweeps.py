"""How each finding changes with the score from which a detector's detections count."""

import polars as pl

from pipeline.errors.sweep import sweep_threshold
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store

_IMAGES = "-images"  # ends the name of what an image audit needs beside the matches


def keep_matches(
    store: Store, error_id: str, matches: pl.DataFrame | None, image_counts: pl.DataFrame | None
) -> None:
    """Keep how a system's outputs are matched, as in `Scored`."""
    if matches is not None:
        store.write_outcomes(error_id, matches)
    if image_counts is not None:
        store.write_outcomes(error_id + _IMAGES, image_counts)


def sweep_findings(
    findings: pl.DataFrame, table: SearchTable, store: Store, *, error_id: str, error: str
) -> dict[int, pl.DataFrame]:
    """Return for the rank of each finding its SWEEP; nothing for other systems than detectors.

    error: as [[systems]] names it.
    """
    matches = store.read_outcomes(error_id)
    if matches is None or "score" not in matches.columns or "status" not in matches.columns:
        return {}
    counts = store.read_outcomes(error_id + _IMAGES)
    sweeps = {}
    for rank, predicates in findings.select("rank", "predicates").iter_rows():
        sweeps[rank] = sweep_threshold(
            matches,
            sample_ids=table.sample_ids,
            inside=table.select_slice(predicates).to_numpy(),
            error=error,
            image_counts=counts,
        )
    return sweeps
