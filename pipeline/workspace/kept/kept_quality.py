"""How good the labels are, as measured last: one Parquet file a table."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.tables import QUALITY_TABLES, check
from pipeline.workspace.manifests import LabelManifest, QualityManifest
from pipeline.workspace.store import Store


def put_quality(frames: Mapping[str, pl.DataFrame], store: Store, *, made_from: str) -> None:
    """Keep the tables of QUALITY_TABLES. made_from: hash of the labels and of what judged them."""
    for name, schema in QUALITY_TABLES.items():
        frame = check(frames[name], schema, table=name)
        write_parquet(frame, _locate(store, name))
    labels = {one.name: one.label_id for one in LabelManifest.read(store.folder).attributes}
    QualityManifest(made_from=made_from, labels=labels).write(store.folder)


def find_quality(store: Store, *, made_from: str) -> dict[str, pl.DataFrame] | None:
    """Return the tables that were made from just that, None where there are none."""
    kept = QualityManifest.find(store.folder)
    if kept is None or kept.made_from != made_from:
        return None
    if not all(_locate(store, name).exists() for name in QUALITY_TABLES):
        return None  # measured by an older version
    return {name: read_parquet(_locate(store, name)) for name in QUALITY_TABLES}


def read_quality(store: Store, table: str) -> pl.DataFrame:
    """Return a table of QUALITY_TABLES as measured last.

    Raises StoreError where nothing was measured, or other labels are in use since then.
    """
    kept = QualityManifest.read(store.folder)
    labels = {one.name: one.label_id for one in LabelManifest.read(store.folder).attributes}
    if kept.labels != labels:
        raise StoreError(
            f"{store.folder}: samples were labelled again since the labels were measured; run "
            "`weakspot label-quality` first"
        )
    if not _locate(store, table).exists():
        raise StoreError(
            f"{store.folder}: the labels were measured by an older version, without {table}; run "
            "`weakspot label-quality` first"
        )
    return read_parquet(_locate(store, table))


def _locate(store: Store, name: str) -> Path:
    return store.folder / "quality" / f"{name}.parquet"
