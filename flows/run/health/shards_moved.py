"""Shards are moved where audit.toml wants them, when it names another place than before."""

import dataclasses
from pathlib import Path

from flows.run.logs import LOG
from pipeline.workspace.shard_place import move_shards
from pipeline.workspace.store import Store


def place_shards(store: Store, place: Path | None) -> Store:
    """Return the store with its shards at `place`, moved there where they were elsewhere.

    place: None for the workspace itself. Raises StorageError when a storage cannot be used.
    """
    if place == store.shards:
        return store
    moved = move_shards(store.folder, place)
    LOG.info("shards are kept in %s; %s files were moved", place or store.folder, f"{moved:,}")
    return dataclasses.replace(store, shards=place)
