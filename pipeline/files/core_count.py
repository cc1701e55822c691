"""The processors that this process may use, for every pool of threads or processes."""

import os


def count_cores() -> int:
    """Return how many processors this process may use: fewer than the machine has, where bound."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
