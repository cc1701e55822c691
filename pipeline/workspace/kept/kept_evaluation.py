"""What a detector as a whole is judged by, kept beside the matches of its errors."""

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
    paths = [store.outcomes / f"{error_id}{end}.parquet" for end in (_MATCHES, _TRUTH)]
    if not all(path.exists() for path in paths):
        return None
    return read_parquet(paths[0]), read_parquet(paths[1])
