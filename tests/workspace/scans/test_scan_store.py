"""All vectors as one array: what the shards hold, never stale, never half of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Vectors
from pipeline.exceptions import EncoderMismatchError, StoreError
from pipeline.tables import SAMPLES
from pipeline.workspace.integrity.examine import examine_workspace, repair_workspace
from pipeline.workspace.scans.scan_store import (
    VECTORS,
    list_embedded,
    list_stale_scans,
    open_scan,
)
from pipeline.workspace.scans.scanned_samples import read_scanned_samples
from pipeline.workspace.shards import read_vectors, write_vectors
from pipeline.workspace.store import Store, open_store

BUILD = """
import sys
from pathlib import Path
from pipeline.workspace.scans.scan_store import open_scan
from pipeline.workspace.store import Store
print("ready", flush=True)
scan = open_scan(Store(Path(sys.argv[1])), "enc")
print(len(scan.keys), float(abs(scan.vectors.astype("f4")).sum(axis=1).min()) > 0, flush=True)
"""


def put(store: Store, keys: list[str], *, seed: int = 0, width: int = 8) -> Path:
    values = np.random.default_rng(seed).normal(size=(len(keys), width)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    column = pl.Series("content_key", keys, dtype=pl.String)
    made = write_vectors(Vectors(column, values, "enc"), store.embeddings)
    assert made is not None
    return made


def make_samples(keys: dict[str, str], parents: dict[str, str] | None = None) -> pl.DataFrame:
    rows = [
        {
            "sample_id": sample,
            "content_key": content,
            "path": f"{sample}.png",
            "parent_id": (parents or {}).get(sample),
        }
        for sample, content in keys.items()
    ]
    return pl.DataFrame(rows, schema=dict(SAMPLES))


def test_rows_are_those_of_the_shards_in_order_of_their_keys(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, ["c", "a", "x"], seed=1)
    put(store, ["b", "z"], seed=2)
    scan = open_scan(store, "enc")
    assert scan.keys.to_list() == ["a", "b", "c", "x", "z"]
    assert scan.vectors.dtype == np.float16
    assert not scan.vectors.flags.writeable
    stored = read_vectors(scan.keys, store.embeddings, encoder_id="enc")
    assert np.abs(stored.values - scan.vectors.astype(np.float32)).max() < 1e-3
    assert scan.find_rows(pl.Series(["x", "nothing", "a"])).to_list() == [3, None, 0]


def test_a_second_opening_maps_the_same_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, ["a", "b"])
    open_scan(store, "enc")
    before = {path: path.stat().st_mtime_ns for path in store.scans.rglob("*.npy")}
    assert isinstance(open_scan(store, "enc").vectors, np.memmap)
    assert {path: path.stat().st_mtime_ns for path in store.scans.rglob("*.npy")} == before


def test_a_new_shard_makes_another_array_and_the_old_one_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, ["a", "b"])
    old = open_scan(store, "enc")
    put(store, ["c"], seed=3)
    (stale,) = list_stale_scans(store, "enc")
    assert open_scan(store, "enc").keys.to_list() == ["a", "b", "c"]
    assert not stale.exists()
    assert list_stale_scans(store, "enc") == []
    assert old.vectors.astype(np.float32).sum() == old.vectors.astype(np.float32).sum()  # mapped


def test_content_of_two_shards_has_one_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, ["a", "b"], seed=1)
    put(store, ["b", "c"], seed=2)
    assert open_scan(store, "enc").keys.to_list() == ["a", "b", "c"]


def test_without_vectors_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no vectors of encoder enc; run `weakspot embed`"):
        open_scan(Store(tmp_path), "enc")
    put(Store(tmp_path), ["a"])
    assert list_embedded(Store(tmp_path)) == ["enc"]


def test_shards_of_two_widths_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, ["a"])
    put(store, ["b"], width=4)
    with pytest.raises(EncoderMismatchError, match="shards differ in width: 4, 8"):
        open_scan(store, "enc")
    assert list(store.scans.rglob("*.npy")) == []


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = put(store, ["a", "b"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="cannot be read"):
        open_scan(store, "enc")


@pytest.mark.parametrize("missing", ["vectors.f16.npy", "keys.parquet", "stamp.json"])
def test_half_a_folder_is_made_again(tmp_path: Path, missing: str) -> None:
    store = Store(tmp_path)
    put(store, ["a", "b"])
    open_scan(store, "enc")
    (path,) = store.scans.rglob(missing)
    path.write_bytes(path.read_bytes()[:7])
    scan = open_scan(store, "enc")
    assert scan.keys.to_list() == ["a", "b"]
    assert np.abs(np.linalg.norm(scan.vectors.astype(np.float32), axis=1) - 1).max() < 1e-3


def test_doctor_finds_a_flipped_bit_and_repair_makes_the_array_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, ["a", "b"])
    wanted = np.array(open_scan(store, "enc").vectors)
    (path,) = store.scans.rglob(VECTORS)
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(bytes(data))
    damages = examine_workspace(store)
    assert [(one.path, one.fault) for one in damages] == [
        (path, "its checksum is not that of its stamp")
    ]
    repair_workspace(store, damages)
    assert examine_workspace(store) == []
    np.testing.assert_array_equal(open_scan(store, "enc").vectors, wanted)


def test_samples_that_are_gone_have_no_row_and_shared_content_has_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, ["a", "b", "gone", "object"])
    store.put_samples(
        make_samples({"s3": "a", "s1": "b", "s2": "a", "s4": "object", "s5": "none yet"},
                     {"s4": "s1"})
    )  # fmt: skip
    found = read_scanned_samples(store, open_scan(store, "enc"))
    assert found.select("sample_id", "row", "parent_id").rows() == [
        ("s1", 1, None), ("s2", 0, None), ("s3", 0, None), ("s4", 3, "s1"),
    ]  # fmt: skip


def start_builder(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BUILD, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_killed_builder_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for shard in range(20):
        put(store, [f"{shard:03}-{n:05}" for n in range(2000)], seed=shard, width=256)
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        with start_builder(tmp_path) as builder:
            assert builder.stdout is not None
            assert builder.stdout.readline() == "ready\n"
            time.sleep(delay)
            os.kill(builder.pid, signal.SIGKILL)
        whole = [p for p in (store.scans / "enc").glob("*") if p.is_dir() and "." not in p.name]
        for path in whole:
            assert (path / "stamp.json").exists()
    scan = open_scan(store, "enc")
    assert scan.vectors.shape == (40_000, 256)
    assert np.abs(np.linalg.norm(scan.vectors.astype(np.float32), axis=1) - 1).max() < 2e-3
    assert [p.name for p in (store.scans / "enc").glob("*.building")] == []


@pytest.mark.slow
def test_several_processes_may_open_it_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for shard in range(10):
        put(store, [f"{shard:03}-{n:05}" for n in range(2000)], seed=shard, width=64)
    builders = [start_builder(tmp_path) for _ in range(3)]
    answers = [builder.communicate(timeout=60)[0].split("\n")[1] for builder in builders]
    assert answers == ["20000 True"] * 3
    assert len(list(store.scans.rglob("*.npy"))) == 1
