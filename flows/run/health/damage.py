"""Damaged shards are dropped by the stage that makes them, and said in one line each."""

from collections.abc import Mapping
from pathlib import Path

from flows.run.logs import LOG
from pipeline.workspace.integrity.sealed_shards import mend_shards

REMADE = "shards_remade"  # the count of a run


def drop_damaged(*folders: Path) -> int:
    """Remove the damaged shards of `folders` and log each; return how many these were.

    What they held is missing then, so that the stage makes it again.
    """
    dropped = [line for folder in folders for line in mend_shards(folder).dropped]
    for line in dropped:
        LOG.warning("damaged, removed and made again: %s", line)
    return len(dropped)


def count_remade(dropped: int) -> dict[str, int]:
    """Return the count of dropped shards for the record of a run; nothing where there were none."""
    return {REMADE: dropped} if dropped else {}


def sum_remade(*counts: Mapping[str, int]) -> dict[str, int]:
    """Return the shards that several stages dropped as one count; nothing where there were none."""
    return count_remade(sum(one.get(REMADE, 0) for one in counts))
