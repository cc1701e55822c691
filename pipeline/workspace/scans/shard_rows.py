"""Which row of which shard becomes which row of a scan, and the copy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.exceptions import EncoderMismatchError
from pipeline.files.whole_files import explain_bad_shards
from pipeline.workspace.integrity.sealed_shards import list_sound


@dataclass(frozen=True)
class RowPlan:
    """keys: sorted content keys, each once. blocks: of each shard its rows, and where they go."""

    keys: pl.Series
    width: int
    blocks: tuple[tuple[Path, Ints, Ints], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows, and the length of each."""
        return len(self.keys), self.width


def plan_rows(folder: Path) -> RowPlan:
    """Read the keys of all shards in `folder`, of which there is at least one.

    Of content that is in several shards the first shard by name counts. Raises StoreError for a
    damaged shard, EncoderMismatchError when shards differ in width.
    """
    shards = list_sound(folder)
    with explain_bad_shards(folder):
        widths = {_read_width(path) for path in shards}
        frames = [
            pl.read_parquet(path, columns=["content_key"])
            .with_row_index("row")
            .with_columns(pl.lit(number).alias("shard"))
            for number, path in enumerate(shards)
        ]
    if len(widths) != 1:
        found = ", ".join(map(str, sorted(widths)))
        raise EncoderMismatchError(f"{folder}: shards differ in width: {found}")
    places = (
        pl.concat(frames)
        .unique("content_key", keep="first", maintain_order=True)
        .sort("content_key")
        .with_row_index("place")
    )
    by_shard = places.partition_by("shard", as_dict=True)
    blocks = tuple(
        (shards[int(number)], _to_ints(own["row"]), _to_ints(own["place"]))
        for (number,), own in sorted(by_shard.items())
    )
    return RowPlan(places["content_key"], widths.pop(), blocks)


def fill_rows(vectors: NDArray[np.float16], plan: RowPlan) -> None:
    """Copy the vectors of all shards into `vectors`, (n, width), shard by shard."""
    for path, rows, places in plan.blocks:
        with explain_bad_shards(path.parent):
            values = pl.read_parquet(path, columns=["vector"])["vector"].to_numpy()
        vectors[places] = values[rows].astype(np.float16, copy=False)


def _read_width(path: Path) -> int:
    dtype = pl.read_parquet_schema(path)["vector"]
    return int(dtype.shape[0])  # type: ignore[attr-defined]  # shards are written as pl.Array


def _to_ints(column: pl.Series) -> Ints:
    return column.to_numpy().astype(np.int64)
