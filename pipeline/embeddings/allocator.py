"""Keep freed activations in the process: glibc would return them and fault them in again."""

import ctypes
import sys

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> bool:
    """Let this process reuse large buffers from one heap; return whether the allocator can.

    A forward on a CPU frees and takes tens of megabytes a layer. With glibc's defaults the kernel
    zeroes these pages each time, a quarter of the time of small models. Call before the worker
    threads start, since a thread keeps the heap that it once took. Elsewhere than on glibc
    nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    most = 2**31 - 1
    settings = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 2**30), (_TRIM_THRESHOLD, most))
    return all(mallopt(name, value) == 1 for name, value in settings)
