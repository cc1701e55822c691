"""All vectors of one encoder as one memory-mapped array, derived from the shards.

    workspace/scan/ENCODER_ID/STAMP/vectors.f16.npy   (n, d) float16, rows in order of content_key
                                    keys.parquet      content_key, sorted
                                    stamp.json        shape, and CRC-32 of both files

STAMP is a hash of the names of the shards, which carry their checksums: other shards have another
folder, so that nothing stale is ever opened. A folder is built under another name and renamed when
all of it is on disk; readers need no lock. Older folders go when a new one is there: who has their
files mapped keeps them until it ends.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.exceptions import StoreError
from pipeline.workspace.integrity.sealed_shards import identify_shard
from pipeline.workspace.scans.shard_rows import fill_rows, plan_rows
from pipeline.workspace.store import Store

VECTORS, KEYS, STAMP = "vectors.f16.npy", "keys.parquet", "stamp.json"
_BUILDING = ".building"  # ends the name of a folder that is not whole yet
_LAYOUT = "1"  # of the files; another one makes another STAMP
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_CHUNK = 1 << 24  # bytes


@dataclass(frozen=True)
class Scan:
    """The vectors of one encoder: vectors (n, d) float16, mapped and read-only; keys (n,).

    keys: content keys, sorted, each once; row i of `vectors` belongs to keys[i]. The rows have unit
    length up to the rounding of float16 (5e-4).
    """

    encoder_id: str
    vectors: NDArray[np.float16]
    keys: pl.Series

    def find_rows(self, content_keys: pl.Series) -> pl.Series:
        """Return the row of each content key, null where it has no vector."""
        rows = pl.DataFrame({"content_key": self.keys}).with_row_index("row")
        asked = pl.DataFrame({"content_key": content_keys})
        return asked.join(rows, on="content_key", how="left", maintain_order="left")["row"].cast(
            pl.Int64
        )


def list_embedded(store: Store) -> list[str]:
    """Return the ids of the encoders of which vectors are stored, sorted.

    Vectors pooled in another way, ENCODER_ID+POOLING, are none that prompts can be compared with.
    """
    names = {path.parent.name for path in store.embeddings.glob("*/*.parquet")}
    return sorted(name for name in names if "+" not in name)


def open_scan(store: Store, encoder_id: str) -> Scan:
    """Return all stored vectors of an encoder; the array is made first where it is missing or old.

    Any number of processes may call this at a time, also while a run adds shards: each gets the
    vectors of the shards that it found. In a folder that cannot be written the array is kept in
    memory. Raises StoreError where there are no vectors or a shard is damaged, EncoderMismatchError
    when shards differ in width.
    """
    stamp = _read_stamp(store, encoder_id)
    folder = store.scans / encoder_id / stamp
    with contextlib.suppress(_NotThereError):
        return _map_folder(folder, encoder_id)
    try:
        with _hold(folder.parent):
            with contextlib.suppress(_NotThereError):  # made by whom this one waited for
                return _map_folder(folder, encoder_id)
            _build(store, encoder_id, folder)
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        return _collect(store, encoder_id)
    return _map_folder(folder, encoder_id)


def find_damaged_scans(folder: Path) -> dict[Path, str]:
    """Return the files of whole scans under `folder` that changed since, each with what is wrong.

    folder: `scan` of a workspace. Without such a file its scan counts as missing and is made again.
    """
    faults = {}
    for stamp in sorted(folder.glob(f"*/*/{STAMP}")):
        if stamp.parent.name.endswith(_BUILDING):
            continue
        try:
            sums = json.loads(stamp.read_text(encoding="utf-8"))["crc32"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults[stamp] = f"no stamp ({error!r})"
            continue
        for name in (VECTORS, KEYS):
            path = stamp.with_name(name)
            if path.exists() and _sum_file(path) != sums.get(name):
                faults[path] = "its checksum is not that of its stamp"
    return faults


def list_stale_scans(store: Store, encoder_id: str) -> list[Path]:
    """Return the folders of an encoder's scans that are not of the shards of now."""
    there = sorted(path for path in (store.scans / encoder_id).glob("*") if path.is_dir())
    try:
        current = _read_stamp(store, encoder_id)
    except StoreError:
        return there
    return [path for path in there if path.name != current]


class _NotThereError(Exception):
    """No whole scan is in a folder."""


def _read_stamp(store: Store, encoder_id: str) -> str:
    """Return the hash of the names of an encoder's shards; of those without checksum also more."""
    shards = sorted((store.embeddings / encoder_id).glob("*.parquet"))
    if not shards:
        raise StoreError(
            f"{store.folder}: there are no vectors of encoder {encoder_id}; run `weakspot embed` "
            "or `weakspot run` first"
        )
    lines = [_LAYOUT, *map(identify_shard, shards)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def _map_folder(folder: Path, encoder_id: str) -> Scan:
    """Map a whole scan; raises _NotThereError where it is not there, not whole, or removed."""
    try:
        shape = json.loads((folder / STAMP).read_text(encoding="utf-8"))["shape"]
        vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        keys = pl.read_parquet(folder / KEYS)["content_key"]
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise _NotThereError from error
    if list(vectors.shape) != shape or vectors.dtype != np.float16 or len(keys) != shape[0]:
        raise _NotThereError
    return Scan(encoder_id, vectors, keys)


@contextlib.contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Let one process at a time build in a folder; the lock ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "build.lock"):
        yield


def _build(store: Store, encoder_id: str, folder: Path) -> None:
    """Write a scan beside `folder`, rename it, and remove the older ones; the caller holds it."""
    for path in folder.parent.glob(f"*{_BUILDING}"):  # of builders that were killed
        shutil.rmtree(path, ignore_errors=True)
    if folder.exists():  # damaged
        shutil.rmtree(folder)
    partial = folder.with_name(folder.name + _BUILDING)
    partial.mkdir()
    try:
        plan = plan_rows(store.embeddings / encoder_id)
        vectors = np.lib.format.open_memmap(
            partial / VECTORS, mode="w+", dtype=np.float16, shape=plan.shape
        )
        fill_rows(vectors, plan)
        vectors.flush()
        del vectors
        pl.DataFrame({"content_key": plan.keys}).write_parquet(partial / KEYS, statistics=False)
        sums = {name: _sum_file(partial / name) for name in (VECTORS, KEYS)}
        stamp = json.dumps({"shape": plan.shape, "crc32": sums})
        (partial / STAMP).write_text(stamp, encoding="utf-8")
        for name in (VECTORS, KEYS, STAMP):
            _sync(partial / name)
        _sync(partial)
        partial.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for path in folder.parent.iterdir():
        if path.is_dir() and path != folder:
            shutil.rmtree(path, ignore_errors=True)


def _collect(store: Store, encoder_id: str) -> Scan:
    """Return the scan in memory."""
    plan = plan_rows(store.embeddings / encoder_id)
    vectors = np.empty(plan.shape, np.float16)
    fill_rows(vectors, plan)
    vectors.flags.writeable = False
    return Scan(encoder_id, vectors, plan.keys)


def _sum_file(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total = zlib.crc32(chunk, total)
    return total


def _sync(path: Path) -> None:
    """Wait until a file or the entries of a folder are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
