"""The samples of the dataset as last read, each with the row of its vector in a scan."""

import polars as pl

from pipeline.workspace.scans.scan_store import Scan
from pipeline.workspace.store import Store


def read_scanned_samples(store: Store, scan: Scan) -> pl.DataFrame:
    """Return the current samples that have a vector: SAMPLES and `row`, sorted by sample_id.

    Whole images and objects are all here; parent_id is null for the former. What an audit judges
    is `scored_samples` of this frame. Samples of the same content share a row. Samples that left
    the dataset are not here, though their vectors may still be in the scan.
    """
    samples = store.read_samples()
    rows = samples.with_columns(scan.find_rows(samples["content_key"]).alias("row"))
    return rows.filter(pl.col("row").is_not_null()).sort("sample_id")
