"""The processors that this process may use, for every pool of threads or processes."""

import os
from collections.abc import Mapping

CORES = "WEAKSPOT_CORES"  # environment variable: at most so many, as a task on a cluster is given


def count_cores(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many processors this process may use: fewer than the machine has, where bound."""
    bound = environment.get(CORES, "")
    if bound.isdecimal() and int(bound):
        return int(bound)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
