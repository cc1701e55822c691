"""What a detector as a whole is judged by, kept beside the matches of its errors."""

from pathlib import Path

import polars as pl

from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.workspace.store import Store

_MATCHES, _TRUTH = "-all-matches", "-all-truth"  # end the names of the files


def put_evaluation(
    store: Store, error_id: str, *, matches: pl.DataFrame, truth: pl.DataFrame
) -> None:
    """Keep DETECTION_MATCHES of all images and the true boxes in them."""
    write_parquet(matches, store.outcomes / f"{error_id}{_MATCHES}.parquet")
    write_parquet(truth, store.outcomes / f"{error_id}{_TRUTH}.parquet")


def read_evaluation(store: Store, error_id: str) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Return what `put_evaluation` kept; None for other systems than detectors."""
    paths = _find(store, error_id)
    return None if paths is None else (read_parquet(paths[0]), read_parquet(paths[1]))


def scan_evaluation(store: Store, error_id: str) -> tuple[pl.LazyFrame, pl.LazyFrame] | None:
    """Return the same unread, for a part of the rows; None for other systems than detectors."""
    paths = _find(store, error_id)
    return None if paths is None else (pl.scan_parquet(paths[0]), pl.scan_parquet(paths[1]))


def _find(store: Store, error_id: str) -> list[Path] | None:
    paths = [store.outcomes / f"{error_id}{end}.parquet" for end in (_MATCHES, _TRUTH)]
    return paths if all(path.exists() for path in paths) else None
