"""Shards with a checksum in their name: no flipped bit, torn or non-finite shard is believed."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Vectors
from pipeline.exceptions import EncoderError, StoreError
from pipeline.tables import MEASUREMENTS
from pipeline.workspace.integrity.sealed_shards import find_damaged, list_sound, mend_shards
from pipeline.workspace.shards import (
    read_measurements,
    read_vectors,
    stored_keys,
    write_shard,
    write_vectors,
)

FLIPS = 200  # in shards of each kind


def write_some_vectors(folder: Path) -> Path:
    values = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    keys = pl.Series("content_key", [f"{number:04}" for number in range(64)])
    made = write_vectors(Vectors(keys, values, "enc"), folder)
    assert made is not None
    return made


def write_some_measurements(folder: Path) -> Path:
    rng = np.random.default_rng(2)
    rows = {
        "content_key": [f"{number:04}" for number in range(200)],
        "measure": ["brightness"] * 200,
        "measure_version": ["1"] * 200,
        "value": rng.random(200),
    }
    made = write_shard(pl.DataFrame(rows, schema=dict(MEASUREMENTS)), folder)
    assert made is not None
    return made


def flip_bits(path: Path, *, seed: int) -> Iterator[int]:
    """Flip one bit of the file at a time, in FLIPS places, each put right before the next."""
    data = path.read_bytes()
    for place in np.random.default_rng(seed).choice(8 * len(data), FLIPS, replace=False).tolist():
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        yield place
    path.write_bytes(data)


def test_each_flipped_bit_of_a_shard_of_vectors_is_noticed(tmp_path: Path) -> None:
    path = write_some_vectors(tmp_path)
    for place in flip_bits(path, seed=3):
        assert list(find_damaged(path.parent)) == [path], place
        with pytest.raises(StoreError, match="checksum"):
            read_vectors(["0001"], tmp_path, encoder_id="enc")
    assert len(read_vectors(["0001"], tmp_path, encoder_id="enc").keys) == 1


def test_each_flipped_bit_of_a_shard_of_measurements_is_noticed(tmp_path: Path) -> None:
    path = write_some_measurements(tmp_path)
    for place in flip_bits(path, seed=4):
        assert list(find_damaged(tmp_path)) == [path], place
        with pytest.raises(StoreError, match="checksum"):
            read_measurements(tmp_path)
    assert read_measurements(tmp_path).height == 200


def test_a_flip_long_after_the_shard_was_verified_is_noticed(tmp_path: Path) -> None:
    path = write_some_vectors(tmp_path)
    old = path.stat().st_mtime - 3600
    os.utime(path, (old, old))
    assert list_sound(path.parent) == [path]
    data = bytearray(path.read_bytes())
    data[100] ^= 4
    path.write_bytes(data)
    assert list(find_damaged(path.parent)) == [path]


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_torn_shard_is_removed_and_what_it_held_is_missing(tmp_path: Path, kept: int) -> None:
    path = write_some_vectors(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    mended = mend_shards(path.parent)
    assert [line.startswith(f"{path}: ") for line in mended.dropped] == [True]
    assert not path.exists()
    assert stored_keys(path.parent).is_empty()


def test_an_old_shard_without_checksum_is_accepted_and_gets_one(tmp_path: Path) -> None:
    path = write_some_vectors(tmp_path)
    before = read_vectors(["0003", "0001"], tmp_path, encoder_id="enc").values
    path.rename(path.with_name("0123456789abcdef01234567.parquet"))
    old = read_vectors(["0003", "0001"], tmp_path, encoder_id="enc").values
    assert mend_shards(path.parent).sealed == 1
    (sealed,) = path.parent.iterdir()
    assert sealed.name.startswith("0123456789abcdef01234567-")
    after = read_vectors(["0003", "0001"], tmp_path, encoder_id="enc").values
    assert np.array_equal(before, old)
    assert np.array_equal(before, after)
    assert mend_shards(path.parent).sealed == 0


def test_an_old_shard_of_numbers_that_are_not_finite_is_removed(tmp_path: Path) -> None:
    column = pl.Series("vector", [[float("nan"), 1.0]], dtype=pl.Array(pl.Float16, 2))
    path = tmp_path / "0123456789abcdef01234567.parquet"
    pl.DataFrame({"content_key": ["a"], "vector": column}).write_parquet(path)
    with pytest.raises(StoreError, match="not finite"):
        list_sound(tmp_path)
    assert "not finite" in mend_shards(tmp_path).dropped[0]
    assert not path.exists()


def test_vectors_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    values = np.array([[np.nan, 1]], dtype=np.float32)
    with pytest.raises(EncoderError, match="not finite"):
        write_vectors(Vectors(pl.Series("content_key", ["a"]), values, "enc"), tmp_path)
    assert not (tmp_path / "enc").exists()
