"""The status of many objects on other storage: one listing where each would be a request."""

import os
import posixpath
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipeline.exceptions import StorageError
from pipeline.files.remote_path import RemotePath, make_status

_LIST_ALONE = 100  # so many objects in a folder are asked for one by one


def list_statuses(
    paths: Sequence[str], *, root: RemotePath, threads: int
) -> Mapping[str, os.stat_result]:
    """Return the status of each object that is there, by its path under `root`.

    One listing of the folders that the paths share; a thousand objects are one request. Raises
    StorageError when the storage cannot be used.
    """
    if len(paths) <= _LIST_ALONE:
        with ThreadPoolExecutor(threads, thread_name_prefix="stat") as pool:
            found = pool.map(lambda path: _ask(root / path), paths)
            statuses = dict(zip(paths, found, strict=True))
        return {path: status for path, status in statuses.items() if status is not None}
    folders = [posixpath.dirname(path) for path in paths]
    shared = posixpath.commonpath(folders) if all(folders) else ""
    begin = f"{shared}/" if shared else ""
    wanted = set(paths)
    objects = (root / shared if shared else root).list_objects()
    return {
        begin + name: make_status(info) for name, info in objects.items() if begin + name in wanted
    }


def _ask(path: RemotePath) -> os.stat_result | None:
    try:
        return path.stat()
    except StorageError:
        raise
    except OSError:  # the pass says of each what is wrong with it
        return None
