"""Files that are read whole: regular ones, since a device or a pipe may never end."""

import stat
from pathlib import Path


def read_regular(path: Path, *, most: int | None = None) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes.

    Raises OSError for a device, pipe or socket and for a file that is larger.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if most is not None and status.st_size > most:
        raise OSError(f"it has {status.st_size:,} bytes, more than {most:,}")
    return path.read_bytes()
