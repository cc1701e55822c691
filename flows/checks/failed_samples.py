"""Which samples the systems under audit fail on, so that enough of them are checked."""

import polars as pl

from pipeline.workspace.manifests import ScoreManifest
from pipeline.workspace.store import Store


def find_failed(store: Store, *, systems: frozenset[str]) -> pl.Series | None:
    """Return the sample_ids with an error above the mean of one of the systems.

    systems: those under audit; systems that are the audit's own labels are judged by checks
    themselves. Returns None where none of them is scored. Of 0/1 errors these are all errors.
    """
    scored = ScoreManifest.find(store.folder)
    if scored is None:
        return None
    ids = [one.error_id for name, one in scored.systems.items() if name in systems]
    if not ids:
        return None
    errors = store.read("errors").filter(pl.col("error_id").is_in(ids))
    above = pl.col("error") > pl.col("error").mean().over("error_id")
    return errors.filter(above)["sample_id"].unique().sort()
