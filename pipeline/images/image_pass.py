"""One pass over images: each is decoded once, and a function makes rows of its pixels."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from pipeline.images.decode import ImageRejectedError, ImageUnreadableError, load_image
from pipeline.tables import BROKEN, REJECTS, Schema, check

Row = tuple[object, ...]
Load = Callable[[Path], Image.Image]


@dataclass(frozen=True)
class ImageBlock:
    """The rows made of one block of images, by sorted content key, and what could not be used.

    rows: an image of which no row is made has one row of nulls, so that it counts as done.
    broken: content_key and reason of rejects that can never be decoded. Files that could not be
    read are not among them, nor images that the function alone could not take.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    broken: pl.DataFrame


@dataclass(frozen=True)
class _Result:
    rows: Sequence[Row] = ()
    reason: str | None = None
    is_broken: bool = False


def map_images(
    images: pl.DataFrame,
    make_rows: Callable[[Image.Image], Sequence[Row]],
    *,
    schema: Schema,
    root: Path,
    stage: str,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Load = load_image,
) -> ImageBlock:
    """Decode each image in a thread of `pool` and collect the rows that are made of it.

    images: content_key and path, relative to `root`; other columns are ignored and each content key
    is used once. make_rows: takes RGB pixels and returns rows of `schema` without its first column,
    content_key; called from several threads; raises ImageRejectedError for an image that it cannot
    take. An image that cannot be used becomes rows of `rejects` under `stage`, one for each path
    with its content. progress: called with 1 after each content key.
    """
    unique = images.sort("content_key", "path").unique("content_key", maintain_order=True)

    def process(path: str) -> _Result:
        try:
            image = load(root / path)
        except ImageUnreadableError as error:
            return _Result(reason=error.reason)
        except ImageRejectedError as error:
            return _Result(reason=error.reason, is_broken=True)
        try:
            return _Result(make_rows(image))
        except ImageRejectedError as error:
            return _Result(reason=error.reason)

    results: dict[str, _Result] = {}
    for key, result in zip(
        unique["content_key"], pool.map(process, unique["path"].to_list()), strict=True
    ):
        results[key] = result
        if progress is not None:
            progress(1)
    failed = {key: result.reason for key, result in results.items() if result.reason is not None}
    broken = [(key, reason) for key, reason in failed.items() if results[key].is_broken]
    return ImageBlock(
        rows=_tabulate(results, schema),
        rejects=list_rejects(images, failed, stage=stage),
        broken=pl.DataFrame(broken, schema=dict(BROKEN), orient="row"),
    )


def _tabulate(results: Mapping[str, _Result], schema: Schema) -> pl.DataFrame:
    nulls: Sequence[Row] = [(None,) * (len(schema) - 1)]
    rows = [
        (key, *row)
        for key, result in results.items()
        if result.reason is None
        for row in result.rows or nulls
    ]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def list_rejects(images: pl.DataFrame, failed: Mapping[str, str], *, stage: str) -> pl.DataFrame:
    """Return `rejects`: a row for each path that has failed content, and each reason of it.

    images: content_key and path. failed: content key -> reason.
    """
    reasons = pl.DataFrame(list(failed.items()), schema=dict(BROKEN), orient="row")
    found = images.select("content_key", "path").join(reasons, on="content_key", how="inner")
    listed = found.select("path", pl.lit(stage).alias("stage"), "reason").unique()
    return check(listed.sort("path", "reason"), REJECTS, table="rejects")
