"""The files that need not be opened again: most of them, in most nights."""

import os
import stat
from array import array
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.samples.paths import Links
from pipeline.tables import STAMP

_BLOCK = 8_192  # files of one thread task
_IDENTITY = ("size", "mtime", *STAMP)
_UNKNOWN = (-1,) * len(_IDENTITY)  # of no file


def find_unchanged(
    paths: Sequence[str],
    *,
    root: Path,
    links: Links,
    known: pl.DataFrame | None,
    threads: int,
    inside: dict[str, bool],
    listed: Mapping[str, os.stat_result] | None = None,
) -> pl.DataFrame:
    """Return FILES of those files at `paths` under `root` that are as `known` has them.

    known: earlier `samples` rows, where possible with the columns of STAMP. A file is the same when
    size and time of change, and the STAMP where there is one, are. Links, and what cannot be read,
    are never among them. inside: of each folder, filled as met, whether it is within the roots.
    listed: the status of each object of other storage, which is not asked for again. Numbers are
    kept in arrays: a million rows of Python objects would take a gigabyte.
    """
    columns = ("path", "content_key", "width", "height", *_IDENTITY)
    if known is None or known.is_empty():
        return pl.DataFrame(schema={name: _DTYPES[name] for name in columns})
    whole = known.filter(pl.col("parent_id").is_null()).drop_nulls(["content_key", "width"])
    there = [name for name in _IDENTITY if name in whole.columns]
    whole = whole.select("path", "content_key", "width", "height", *there)
    whole = whole.unique("path", keep="last", maintain_order=True)
    if listed is None:
        found = _read_identities(paths, root, links, threads, inside)
    else:
        found = _tabulate(listed)
    both = found.join(
        whole, on="path", how="inner", suffix="_before", maintain_order="left", validate="m:1"
    )
    equal = [pl.col(name) == pl.col(f"{name}_before") for name in there]
    return both.filter(pl.all_horizontal(*equal).fill_null(value=False)).select(columns)


def _tabulate(listed: Mapping[str, os.stat_result]) -> pl.DataFrame:
    """Return path and _IDENTITY of objects."""
    rows = [
        (path, one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino)
        for path, one in listed.items()
    ]
    schema = {name: _DTYPES[name] for name in ("path", *_IDENTITY)}
    return pl.DataFrame(rows, schema=schema, orient="row")


_DTYPES = {
    "path": pl.String(),
    "content_key": pl.String(),
    **dict.fromkeys(("width", "height", *_IDENTITY), pl.Int64()),
}


def _read_identities(
    paths: Sequence[str], root: Path, links: Links, threads: int, inside: dict[str, bool]
) -> pl.DataFrame:
    """Return path and _IDENTITY of the plain files among `paths`, in their order."""
    blocks = [paths[i : i + _BLOCK] for i in range(0, len(paths), _BLOCK)]
    prefix = os.path.join(root, "")  # noqa: PTH118 - a Path for each file takes longer than its stat

    def read(block: Sequence[str]) -> "array[int]":
        return _read_block(block, prefix, links, inside)

    numbers = array("q")
    if threads <= 1 or len(blocks) <= 1:
        for block in blocks:
            numbers.extend(read(block))
    else:
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="stat") as pool:
            for part in pool.map(read, blocks):
                numbers.extend(part)
    table = np.frombuffer(numbers, np.int64).reshape(-1, len(_IDENTITY))  # (n, 4)
    columns = {name: pl.Series(table[:, at]) for at, name in enumerate(_IDENTITY)}
    frame = pl.DataFrame({"path": pl.Series(paths, dtype=pl.String), **columns})
    return frame.filter(pl.col("size") >= 0)


def _read_block(
    paths: Sequence[str], prefix: str, links: Links, inside: dict[str, bool]
) -> "array[int]":
    numbers = array("q")
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in inside:
            inside[folder] = links.find_escape(prefix + folder) is None
        try:
            status = os.lstat(prefix + path) if inside[folder] else None
        except (OSError, ValueError):  # a null character
            status = None
        if status is None or stat.S_ISLNK(status.st_mode):
            numbers.extend(_UNKNOWN)
            continue
        inode = status.st_ino % 2**63  # some network file systems use all 64 bits
        numbers.extend((status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode))
    return numbers
