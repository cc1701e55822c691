"""One pass over images: each is decoded once and a function tells what is in it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl
from PIL import Image

from pipeline.files.whole_files import explain_bad_shards
from pipeline.images.decode import ImageRejectedError, ImageUnreadableError, load_image
from pipeline.tables import BROKEN, REJECTS, Schema, check, empty

T = TypeVar("T", bound=tuple[object, ...])


@dataclass(frozen=True)
class ImagePass(Generic[T]):
    """What a pass found in each image, by sorted content key, and what could not be used.

    broken: content_key and reason of rejects that will never be decoded. Files that could not be
    read are not among them, nor what the function alone could not take.
    """

    found: Mapping[str, Sequence[T]]
    rejects: pl.DataFrame
    broken: pl.DataFrame

    def tabulate(self, schema: Schema) -> pl.DataFrame:
        """Return a row of `schema` for each tuple found, after its content key.

        An image in which nothing was found has one row of nulls, so that it counts as done.
        """
        nothing: Sequence[tuple[object, ...]] = [(None,) * (len(schema) - 1)]
        rows = [(key, *one) for key, found in self.found.items() for one in found or nothing]
        return pl.DataFrame(rows, schema=dict(schema), orient="row")


@dataclass(frozen=True)
class _Outcome(Generic[T]):
    found: Sequence[T] = ()
    reason: str | None = None
    is_broken: bool = False


def look_at_images(
    images: pl.DataFrame,
    look: Callable[[Image.Image], Sequence[T]],
    *,
    root: Path,
    stage: str,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Callable[[Path], Image.Image] = load_image,
) -> ImagePass[T]:
    """Decode each image in a thread of `pool` and note what `look` returns for its RGB pixels.

    images: content_key and path, relative to `root`; a content key is looked at once. look: called
    from several threads; raises ImageRejectedError for an image that it cannot take. An image that
    cannot be used becomes rows of `rejects` under `stage`, one for each path with its content.
    progress: told after each content key that one more is done.
    """
    unique = images.sort("content_key", "path").unique("content_key", maintain_order=True)

    def look_at(path: str) -> _Outcome[T]:
        try:
            image = load(root / path)
        except ImageUnreadableError as error:
            return _Outcome(reason=error.reason)
        except ImageRejectedError as error:
            return _Outcome(reason=error.reason, is_broken=True)
        try:
            return _Outcome(look(image))
        except ImageRejectedError as error:
            return _Outcome(reason=error.reason)

    outcomes: dict[str, _Outcome[T]] = {}
    for key, outcome in zip(
        unique["content_key"], pool.map(look_at, unique["path"].to_list()), strict=True
    ):
        outcomes[key] = outcome
        if progress is not None:
            progress(1)
    failed = {key: o.reason for key, o in outcomes.items() if o.reason is not None}
    broken = [(key, reason) for key, reason in failed.items() if outcomes[key].is_broken]
    return ImagePass(
        found={key: o.found for key, o in outcomes.items() if o.reason is None},
        rejects=list_rejects(images, failed, stage=stage),
        broken=pl.DataFrame(broken, schema=dict(BROKEN), orient="row"),
    )


def read_found(folder: Path, schema: Schema, *, table: str) -> pl.DataFrame:
    """Return what earlier passes kept as shards in `folder`, rows of nulls included, each row once.

    Two shards may hold the same image, each with all of its rows. Raises StoreError when a shard
    cannot be read.
    """
    shards = sorted(folder.glob("*.parquet"))
    if not shards:
        return empty(schema)
    with explain_bad_shards(folder):
        frame = pl.read_parquet(shards)
    return check(frame.unique(), schema, table=table)


def list_rejects(images: pl.DataFrame, failed: Mapping[str, str], *, stage: str) -> pl.DataFrame:
    """Return `rejects`: a row for each path that has failed content, and each reason of it.

    images: content_key and path. failed: content key -> reason.
    """
    reasons = pl.DataFrame(list(failed.items()), schema=dict(BROKEN), orient="row")
    found = images.select("content_key", "path").join(reasons, on="content_key", how="inner")
    listed = found.select("path", pl.lit(stage).alias("stage"), "reason").unique()
    return check(listed.sort("path", "reason"), REJECTS, table="rejects")
