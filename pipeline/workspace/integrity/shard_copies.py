"""Shards on other storage, as copies on this machine: fetched once, since their names say it all.

A shard's name ends with its checksum, so that two files of one name have the same bytes: a copy is
never stale. Copies lie in the user's cache and may be removed whenever no run goes on.
"""

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.files.remote_path import RemotePath
from pipeline.files.whole_files import write_bytes

_AT_ONCE = 8  # requests


def locate_copies(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of copies: WEAKSPOT_CACHE, or weakspot/shards in the user's cache."""
    if named := environment.get("WEAKSPOT_CACHE"):
        return Path(named)
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "weakspot" / "shards"


def fetch_copies(folder: RemotePath, *, into: Path | None = None) -> dict[RemotePath, Path]:
    """Fetch the shards of `folder` that are not here yet; return where the copy of each is.

    into: folder of copies, by default `locate_copies`. Sorted by name. Raises StorageError when the
    storage cannot be used.
    """
    shards = sorted(path for path in folder.glob("*.parquet"))
    copies = {shard: locate_copy(shard, into=into) for shard in shards}
    missing = [shard for shard, copy in copies.items() if not copy.exists()]
    if missing:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
            for _ in pool.map(lambda shard: fetch_copy(shard, copies[shard]), missing):
                pass
    return copies


def locate_copy(shard: RemotePath, *, into: Path | None = None) -> Path:
    """Return where the copy of a shard is, or would be."""
    return (into or locate_copies()).joinpath(shard.scheme, *shard.parts[1:])


def fetch_copy(shard: RemotePath, copy: Path) -> None:
    """Fetch a shard, whole or not at all."""
    keep_copy(shard.read_bytes(), copy)


def keep_copy(data: bytes, copy: Path) -> None:
    """Write the copy of a shard; processes may do so at the same time."""
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = copy.with_name(f"{copy.name}.{os.getpid()}-{threading.get_ident()}")
    write_bytes(data, own).replace(copy)
