"""One run at a time in a workspace."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from pipeline.exceptions import WorkspaceInUseError


@contextlib.contextmanager
def lock_workspace(folder: Path, *, patience: float | None = 0.0) -> Iterator[None]:
    """Hold the workspace for one run; the lock ends with the process, however that ends.

    patience: seconds to wait for the run that holds it; None for as long as it takes. Raises
    WorkspaceInUseError that names the process holding it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / "run.pid"
    lock = filelock.FileLock(folder / "run.lock", timeout=-1 if patience is None else patience)
    try:
        lock.acquire()
    except filelock.Timeout:
        pid = owner.read_text(encoding="utf-8").strip() if owner.exists() else "unknown"
        raise WorkspaceInUseError(
            f"{folder}: another run (process {pid}) is using this workspace; wait for it, end it, "
            "or name another workspace"
        ) from None
    try:
        owner.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):  # of a failing disk, whose own error says more
            owner.unlink(missing_ok=True)
        lock.release()
