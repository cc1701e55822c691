"""Who may read what a run writes: by default its owner alone, since images show people."""

import contextlib
import os
from collections.abc import Iterator

from pipeline.config.audit import Access

_HIDDEN = {"owner": 0o077, "group": 0o007, "umask": 0o000}  # bits taken from new files and folders
_SHARED = {"owner": 0o000, "group": 0o070, "umask": 0o000}  # bits given whatever the umask says


@contextlib.contextmanager
def restrict_access(access: Access) -> Iterator[None]:
    """Make new files and folders of this process readable as audit.toml's `access` says.

    The umask of the process is changed inside and restored after. What is there already keeps its
    mode.
    """
    before = os.umask(0o077)
    os.umask((before & ~_SHARED[access]) | _HIDDEN[access])
    try:
        yield
    finally:
        os.umask(before)
