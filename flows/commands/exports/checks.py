"""What `weakspot export` writes of checks: every answer that holds, with the name of its sample."""

import polars as pl

from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.store import Store


def read_named_checks(store: Store) -> pl.DataFrame:
    """Return CHECKS with path and annotation_id, as `weakspot check-labels --import` reads them.

    Both are null of a sample that has left the dataset.
    """
    checks = read_checks(store.folder)
    names = store.read_samples().select("sample_id", "path", "annotation_id")
    named = checks.join(names, on="sample_id", how="left", maintain_order="left")
    return named.select("path", "annotation_id", pl.all().exclude("path", "annotation_id"))
