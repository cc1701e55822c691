"""Maps as kept: positions and what later samples are placed with, in a folder a map."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.tables import POSITIONS, check
from pipeline.workspace.manifests import MapManifest
from pipeline.workspace.store import Store

_LAYOUT = "1"  # of how maps are made; another one makes another folder


def name_map(encoder_id: str, *, method: str, landmarks: int, seed: int) -> str:
    """Return the name of the folder of a map: ENCODER_ID-HASH, by how it is made."""
    asked = repr((_LAYOUT, method, landmarks if method != "pca" else 0, seed))
    return f"{encoder_id}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def put_map(
    store: Store, name: str, positions: pl.DataFrame, mean: NDArray[np.float64],
    components: NDArray[np.float64],
) -> None:  # fmt: skip
    """Keep a map; positions come last, and say that it is whole.

    positions: POSITIONS. mean (d,), components (k, d): of the basis that it is made in.
    """
    rows = pl.Series("axis", np.vstack([mean, components]), dtype=pl.Array(pl.Float64, len(mean)))
    (_locate(store, name) / "positions.parquet").unlink(missing_ok=True)  # of another basis
    write_parquet(pl.DataFrame([rows]), _locate(store, name) / "basis.parquet")
    put_positions(store, name, positions)


def put_positions(store: Store, name: str, positions: pl.DataFrame) -> None:
    """Keep the positions of a map that is there, sorted by key."""
    rows = check(positions, POSITIONS, table="positions").sort("content_key")
    write_parquet(rows, _locate(store, name) / "positions.parquet")


def find_positions(store: Store, name: str) -> pl.DataFrame | None:
    """Return POSITIONS of a map, None where it is not there."""
    path = _locate(store, name) / "positions.parquet"
    return read_parquet(path) if path.exists() else None


def read_basis(store: Store, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean (d,) and the components (k, d) of a map."""
    rows = read_parquet(_locate(store, name) / "basis.parquet")["axis"].to_numpy()
    return rows[0], rows[1:]


def read_last_positions(store: Store) -> pl.DataFrame:
    """Return POSITIONS of the map that was made last; raises StoreError where there is none."""
    last = MapManifest.read(store.folder)
    positions = find_positions(store, last.folder)
    if positions is None:
        raise StoreError(
            f"{_locate(store, last.folder)}: the map is gone; run `weakspot map` again"
        )
    return positions


def _locate(store: Store, name: str) -> Path:
    return store.maps / name
