"""What a machine does to a run, in one line: what failed, what is kept, what to do."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipeline.exceptions import AbsentDatabaseError, StorageError, StoreError

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_KEPT = "what was computed is kept"


class MachineError(OSError):
    """A stage failed by what the machine did: a full disk, a folder that went away.

    No WeakspotError: it may pass, and a run that is tried again then meets it no more.
    """


def is_full(error: OSError) -> bool:
    """Return whether an error says that the disk or the quota is used up."""
    return error.errno in _FULL


@contextlib.contextmanager
def explain_failures(
    stage: str, workspace: Path, *, database: Path | None = None
) -> Iterator[None]:
    """Turn failures of the machine inside a stage into MachineError, one line each.

    database: of the workspace; if it was there at the beginning and is no more, or is an empty one,
    the workspace vanished.
    That are a full disk, too little memory, a workspace that vanished and a panic of Polars, which
    is no Exception. Other errors are passed on.
    """
    was_there = database is not None and database.exists()
    try:
        yield
    except MemoryError:
        raise MachineError(
            f"{stage}: there is not enough memory; {_KEPT} in {workspace}: free some, or lower "
            "batch_size and shard_size of [encoder], and run the same command again"
        ) from None
    except (OSError, StoreError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        is_there = database is not None and database.exists()
        vanished = was_there and (not is_there or isinstance(error, AbsentDatabaseError))
        raise _explain(error, stage, workspace, vanished=vanished) from None


def _explain(error: BaseException, stage: str, workspace: Path, *, vanished: bool) -> BaseException:
    """Return the error to raise in place of one that a stage raised."""
    if isinstance(error, MachineError):
        return error
    text = str(error).split("\n")[0]
    number = error.errno if isinstance(error, OSError) else None
    if "no space left" in text.lower():
        number = errno.ENOSPC
    if isinstance(error, StorageError):
        return MachineError(
            f"{stage}: {text}; {_KEPT} in {workspace}: when the storage can be used again, run the "
            "same command again"
        )
    if number in _FULL:
        named = error.filename if isinstance(error, OSError) else None
        where = f" at {named}" if named else ""
        return MachineError(
            f"{stage}: {_FULL[number]}{where}; {_KEPT} in {workspace}: free some space "
            "(`weakspot prune` lists what is not needed) and run the same command again"
        )
    if number == errno.EROFS or "read-only file system" in text.lower():
        return MachineError(
            f"{stage}: the disk of {workspace} became read-only, as a failing one does; {_KEPT} "
            "there: see what the kernel says of it, and run the same command again"
        )
    if vanished:
        return MachineError(
            f"{stage}: the workspace {workspace} is not there any more; it was moved, removed or "
            "its disk went away: bring it back and run the same command again, without it all is "
            "computed anew"
        )
    if isinstance(error, pl.exceptions.PanicException):
        return MachineError(
            f"{stage}: Polars failed ({text}); {_KEPT} in {workspace}: `weakspot doctor "
            f"{workspace}` finds damaged files; if there are none, please report this"
        )
    return error
