"""The one pass over the files of a dataset: size on disk, hash of the bytes, size in pixels."""

import hashlib
import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from pipeline.exceptions import StorageError
from pipeline.files.remote_listing import list_statuses
from pipeline.files.remote_path import RemotePath
from pipeline.images.decode import (
    ImageRejectedError,
    probe_bytes,
    probe_image,
    read_image_bytes,
)
from pipeline.samples.paths import Links
from pipeline.samples.sample_set import make_rejects
from pipeline.samples.unchanged_files import find_unchanged
from pipeline.tables import STAMP, Schema

CHUNK = 1 << 20  # bytes read at a time while hashing
_KEY_DIGITS = 32  # of a content key
FILES_PER_TASK = 128  # one thread task takes this many files: the pool's own cost vanishes

FILES: Schema = {
    "path": pl.String(),
    "content_key": pl.String(),
    "width": pl.Int64(),
    "height": pl.Int64(),
    "size": pl.Int64(),
    "mtime": pl.Int64(),
    **STAMP,
}
_Row = tuple[str, str, int, int, int, int, int, int]  # as FILES
_KnownFile = tuple[str, int, int, tuple[int, ...]]  # content_key, width, height, what identifies it


@dataclass(frozen=True)
class ReadFiles:
    """Files that can be used (FILES, in the order asked for), rejects, and how many were hashed."""

    files: pl.DataFrame
    rejects: pl.DataFrame
    hashed: int


def read_files(
    paths: Sequence[str],
    *,
    root: Path,
    links: Links,
    known: pl.DataFrame | None,
    threads: int,
    progress: Callable[[int], None] | None,
) -> ReadFiles:
    """Stat, probe and hash the files at `paths` under `root`; every bad one is a reject.

    links: which links are followed. known: earlier `samples` rows, where possible with the columns
    of STAMP. A whole image there with the same path, size and time of change, and the same STAMP,
    spares opening the file: content can be replaced with size and mtime kept, but not with ctime.
    progress: called with the number of further files done. Objects of other storage are listed
    once, and those that are new are fetched once; raises StorageError where it cannot be used.
    """
    inside: dict[str, bool] = {}
    listed = None
    if isinstance(root, RemotePath):
        listed = list_statuses(paths, root=root, threads=threads)
    same = find_unchanged(
        paths, root=root, links=links, known=known, threads=threads, inside=inside, listed=listed
    )
    if progress is not None and same.height:
        progress(same.height)
    left = pl.DataFrame({"path": pl.Series(paths, dtype=pl.String)}).join(
        same, on="path", how="anti"
    )
    rest = left["path"].to_list()
    before = _index_known(None if known is None else known.join(left, on="path", how="semi"))
    blocks = [rest[i : i + FILES_PER_TASK] for i in range(0, len(rest), FILES_PER_TASK)]
    rows: list[_Row] = []
    rejects: list[tuple[str, str]] = []
    hashed = 0
    read_one = partial(_read_one, root=root, links=links, before=before, inside=inside)
    if isinstance(root, RemotePath) and listed is not None:
        read_one = partial(_read_object, root=root, before=before, listed=listed)
    read_block = partial(_read_block, read_one=read_one)
    for good, bad, fresh in _map(read_block, blocks, threads):
        rows += good
        rejects += bad
        hashed += fresh
        if progress is not None:
            progress(len(good) + len(bad))
    frame = pl.DataFrame(rows, schema=dict(FILES), orient="row")
    if same.height:
        order = pl.DataFrame({"path": pl.Series(paths, dtype=pl.String)})
        both = pl.concat([same, frame])
        frame = order.join(both, on="path", how="inner", maintain_order="left").select(list(FILES))
    return ReadFiles(files=frame, rejects=make_rejects(rejects), hashed=hashed)


def hash_file(path: Path) -> str:
    """Return the first 32 hex digits of the sha256 of a file's bytes. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:_KEY_DIGITS]


_Block = tuple[list[_Row], list[tuple[str, str]], int]


def _map(
    work: Callable[[Sequence[str]], _Block], blocks: Sequence[Sequence[str]], threads: int
) -> Iterator[_Block]:
    """Apply `work` to the blocks in threads (hashing and reading release the lock), in order."""
    if threads <= 1 or len(blocks) <= 1:
        yield from map(work, blocks)
        return
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="hash") as pool:
        yield from pool.map(work, blocks)


def _read_block(paths: Sequence[str], *, read_one: Callable[[str], tuple[_Row, bool]]) -> _Block:
    rows: list[_Row] = []
    rejects: list[tuple[str, str]] = []
    fresh = 0
    for path in paths:
        try:
            row, was_hashed = read_one(path)
        except ImageRejectedError as error:
            rejects.append((path, error.reason))
        except StorageError:  # of all, not of this one
            raise
        except OSError as error:
            rejects.append((path, f"cannot be read: {error.strerror}"))
        else:
            rows.append(row)
            fresh += was_hashed
    return rows, rejects, fresh


def _read_one(
    path: str,
    *,
    root: Path,
    links: Links,
    before: Mapping[str, _KnownFile],
    inside: dict[str, bool],
) -> tuple[_Row, bool]:
    """Read one file. inside: of each folder, filled as met, whether it is within the roots.

    Only links are resolved in full: doing so for every path would take longer than reading.
    """
    folder = posixpath.dirname(path)
    if folder not in inside:
        inside[folder] = links.find_escape(root / folder) is None
    file = root / path
    try:
        status = file.lstat() if inside[folder] else None
        if status is None or stat.S_ISLNK(status.st_mode):
            escape = links.find_escape(file)
            if escape is not None:
                raise ImageRejectedError(escape)
            status = file.stat()
    except FileNotFoundError:
        is_link = file.is_symlink()
        reason = "is a link to a file that is not there" if is_link else "there is no such file"
        raise ImageRejectedError(reason) from None
    found = _identify(status)
    if (same := _find_same(path, found, before)) is not None:
        return same, False
    info = probe_image(file)
    return (path, hash_file(file), info.width, info.height, *found), True


def _read_object(
    path: str,
    *,
    root: RemotePath,
    before: Mapping[str, _KnownFile],
    listed: Mapping[str, os.stat_result],
) -> tuple[_Row, bool]:
    """Read one object of other storage, as `_read_one` reads a file: one request."""
    if path not in listed:
        raise ImageRejectedError("there is no such file")
    found = _identify(listed[path])
    if (same := _find_same(path, found, before)) is not None:
        return same, False
    data = read_image_bytes(root / path)
    info = probe_bytes(data, path=root / path)
    key = hashlib.sha256(data).hexdigest()[:_KEY_DIGITS]
    return (path, key, info.width, info.height, *found), True


def _identify(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells whether a file is the same: size, mtime and STAMP."""
    inode = status.st_ino % 2**63  # some network file systems use all 64 bits
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def _find_same(
    path: str, found: tuple[int, int, int, int], before: Mapping[str, _KnownFile]
) -> _Row | None:
    """Return the row of a file that is as it was before, else None."""
    earlier = before.get(path)
    if earlier is None:
        return None
    key, width, height, identity = earlier
    return (path, key, width, height, *found) if identity == found[: len(identity)] else None


def _index_known(known: pl.DataFrame | None) -> dict[str, _KnownFile]:
    if known is None or known.is_empty():
        return {}
    whole = known.filter(pl.col("parent_id").is_null()).drop_nulls(["content_key", "width"])
    identity = ["size", "mtime", *(name for name in STAMP if name in known.columns)]
    columns = whole.select("path", "content_key", "width", "height", *identity)
    return {row[0]: (row[1], row[2], row[3], row[4:]) for row in columns.iter_rows()}
