"""Shards whose names carry a checksum of their bytes, so that a damaged one is noticed."""

import functools
import re
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.core_count import count_cores
from pipeline.files.remote_path import RemotePath
from pipeline.files.whole_files import write_bytes
from pipeline.workspace.integrity.shard_copies import (
    fetch_copies,
    fetch_copy,
    keep_copy,
    locate_copy,
)

_SEAL = re.compile(r"^(?P<keys>.+)-(?P<seal>[0-9a-f]{8}-[0-9a-f]+)$")
_SETTLED = 1.0  # seconds after which another write surely gets another time of change


@dataclass(frozen=True)
class Mended:
    """What was done to a folder of shards: damaged files removed, old ones given a checksum.

    dropped: one line for each removed file, with what was wrong with it.
    """

    dropped: tuple[str, ...] = ()
    sealed: int = 0


def write_sealed(frame: pl.DataFrame, folder: Path, *, name: str) -> Path:
    """Write a shard as NAME-CRC32-SIZE.parquet, whole or not at all, in place of one of its name.

    The checksum and the size of the file are part of its name: both come with one rename, and a
    write that the disk did not keep is noticed as damage.
    """
    buffer = BytesIO()
    frame.write_parquet(buffer, statistics=False)
    data = buffer.getvalue()
    path = write_bytes(data, folder / _seal_name(name, data))
    if isinstance(path, RemotePath):
        keep_copy(data, locate_copy(path))
    for other in folder.glob(f"{name}*.parquet"):
        if other != path and _strip_seal(other) == name:
            other.unlink(missing_ok=True)
    return path


def list_sound(folder: Path) -> list[Path]:
    """Return the shards of `folder`, each one verified; none when there is no folder.

    Of a folder on other storage these are copies on this machine. Raises StoreError that names
    those that are damaged.
    """
    shards, faults = _inspect_copies(folder) if isinstance(folder, RemotePath) else _inspect(folder)
    if bad := [f"{path.name}: {fault}" for path, fault in faults.items()]:
        raise StoreError(
            f"{folder}: a shard cannot be read ({'; '.join(bad)}); `weakspot run` removes it and "
            "makes it again"
        )
    return shards


def find_damaged(folder: Path) -> dict[Path, str]:
    """Return the damaged shards of `folder`, each with what is wrong with it."""
    return _inspect_copies(folder)[1] if isinstance(folder, RemotePath) else _inspect(folder)[1]


def mend_shards(folder: Path) -> Mended:
    """Remove the damaged shards of `folder`, and give those of earlier versions a checksum.

    What a removed shard held is missing then, and made again like anything that is missing.
    """
    if isinstance(folder, RemotePath):
        bad = _inspect_copies(folder)[1]
        for path in bad:
            path.unlink(missing_ok=True)
        return Mended(tuple(f"{path}: {fault}" for path, fault in bad.items()))
    shards, faults = _inspect(folder)
    for path in faults:
        path.unlink(missing_ok=True)
    old = [path for path in shards if path not in faults and _read_seal(path) is None]
    for path in old:
        path.rename(path.with_name(_seal_name(path.stem, path.read_bytes())))
    dropped = tuple(f"{path}: {fault}" for path, fault in faults.items())
    return Mended(dropped, len(old))


def _inspect(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """Return all shards of a folder, sorted, and the damaged ones with what is wrong."""
    shards = sorted(folder.glob("*.parquet"))
    if not shards:
        return [], {}
    with ThreadPoolExecutor(count_cores(), thread_name_prefix="verify") as pool:
        faults = dict(zip(shards, pool.map(_find_fault, shards), strict=True))
    return shards, {path: fault for path, fault in faults.items() if fault is not None}


def _inspect_copies(folder: RemotePath) -> tuple[list[Path], dict[Path, str]]:
    """Return the copies of all shards of a folder, and the damaged shards with what is wrong.

    A damaged copy is fetched again first: the shard itself may be sound.
    """
    copies = fetch_copies(folder)
    with ThreadPoolExecutor(count_cores(), thread_name_prefix="verify") as pool:
        faults = dict(zip(copies, pool.map(_find_fault, copies.values()), strict=True))
    damaged: dict[Path, str] = {}
    for shard in [shard for shard, fault in faults.items() if fault is not None]:
        fetch_copy(shard, copies[shard])
        if (fault := _find_fault(copies[shard])) is not None:
            damaged[shard] = fault
    return list(copies.values()), damaged


def identify_shard(path: Path) -> str:
    """Return what changes whenever a shard does: its name, of one without checksum also more."""
    if _read_seal(path) is not None:
        return path.name
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def _find_fault(path: Path) -> str | None:
    """Return what is wrong with a shard; a file is read again only after it changed."""
    try:
        status = path.stat()
    except OSError as error:
        return str(error.strerror)
    if time.time() - max(status.st_mtime, status.st_ctime) < _SETTLED:
        return _find_fault_once.__wrapped__(path, 0, 0, 0)
    return _find_fault_once(path, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=65_536)
def _find_fault_once(path: Path, _inode: int, _mtime: int, _ctime: int) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        return str(error.strerror)
    seal = _read_seal(path)
    if seal is None:
        return _find_bad_content(data)
    return None if seal == _make_seal(data) else "its checksum is not that of its name"


def _find_bad_content(data: bytes) -> str | None:
    """Return what is wrong with a shard without checksum: no Parquet, or numbers not finite."""
    try:
        frame = pl.read_parquet(BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return str(error).split("\n")[0]
    for column in frame.iter_columns():
        flat = column.explode() if column.dtype.is_nested() else column
        if flat.dtype.is_float() and not flat.drop_nulls().is_finite().all():
            return "it holds numbers that are not finite"
    return None


def _seal_name(name: str, data: bytes) -> str:
    return f"{name}-{_make_seal(data)}.parquet"


def _make_seal(data: bytes) -> str:
    """Return the CRC-32 and the length: every change of up to 32 adjacent bits changes it."""
    return f"{zlib.crc32(data):08x}-{len(data):x}"


def _read_seal(path: Path) -> str | None:
    match = _SEAL.match(path.stem)
    return match["seal"] if match else None


def _strip_seal(path: Path) -> str:
    match = _SEAL.match(path.stem)
    return match["keys"] if match else path.stem
