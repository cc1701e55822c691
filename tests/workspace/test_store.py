"""The workspace: whole shards, tables by key, a lock that names its holder."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrays import Vectors
from pipeline.exceptions import EncoderMismatchError, StoreError
from pipeline.tables import (
    BROKEN,
    CORRECTED,
    ERRORS,
    FINDINGS,
    LABELS,
    RESULTS,
    SAMPLES,
    SLICES,
    empty,
)
from pipeline.workspace.database import MIGRATIONS
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.shards import (
    read_broken,
    read_measurements,
    read_vectors,
    stored_keys,
    write_shard,
    write_vectors,
)
from pipeline.workspace.store import Store, find_store, open_store
from pipeline.workspace.stored_labels import list_unlabelled


def make_labels(sample_ids: list[str], label_id: str, value: str = "yes") -> pl.DataFrame:
    rows = [
        {
            "sample_id": s,
            "attribute": "hat",
            "source": "given",
            "value": value,
            "label_id": label_id,
        }
        for s in sample_ids
    ]
    return pl.DataFrame(rows, schema=dict(LABELS))


def make_vectors(keys: list[str], width: int = 8, seed: int = 0) -> Vectors:
    values = np.random.default_rng(seed).normal(size=(len(keys), width)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return Vectors(pl.Series("content_key", keys, dtype=pl.String), values, "enc")


def test_what_is_missing_is_an_anti_join_on_sample_and_label_id(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_labels(make_labels(["a", "b"], "one"))
    assert list_unlabelled(store, pl.Series(["c", "a"]), "one").to_list() == ["c"]
    assert list_unlabelled(store, pl.Series(["c", "a"]), "two").to_list() == ["c", "a"]


def test_a_label_of_the_same_key_is_replaced(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_labels(make_labels(["a"], "one", "yes"))
    store.put_labels(make_labels(["a"], "one", "no"))
    assert store.read_labels(["one"])["value"].to_list() == ["no"]


def test_rejects_of_a_stage_are_those_of_its_last_run(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for stage, path in (("samples", "old.jpg"), ("embed", "x.jpg"), ("samples", "new.jpg")):
        frame = pl.DataFrame({"path": [path], "stage": [stage], "reason": ["broken"]})
        store.put_rejects(frame, stage=stage)
    assert sorted(store.read("rejects")["path"].to_list()) == ["new.jpg", "x.jpg"]


@settings(max_examples=20)
@given(st.lists(st.text("abcdef", min_size=3, max_size=6), min_size=1, max_size=40, unique=True))
def test_vectors_come_back_in_the_order_asked_within_half_precision(keys: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = make_vectors(keys)
        write_vectors(made, Path(folder))
        asked = [*reversed(keys), "absent"]
        found = read_vectors(asked, Path(folder), encoder_id="enc")
        assert found.keys.to_list() == keys[::-1]
        assert np.abs(found.values - made.values[::-1]).max() < 1e-3
        assert np.allclose(np.linalg.norm(found.values, axis=1), 1, atol=1e-6)


def test_the_same_keys_written_twice_are_one_shard(tmp_path: Path) -> None:
    write_vectors(make_vectors(["a", "b"]), tmp_path)
    write_vectors(make_vectors(["a", "b"], seed=1), tmp_path)
    assert len(list((tmp_path / "enc").iterdir())) == 1
    assert stored_keys(tmp_path / "enc").to_list() == ["a", "b"]


def test_shards_of_different_width_are_refused(tmp_path: Path) -> None:
    write_vectors(make_vectors(["a"], width=8), tmp_path)
    write_vectors(make_vectors(["b"], width=4), tmp_path)
    with pytest.raises(EncoderMismatchError, match="differ in width"):
        read_vectors(["a", "b"], tmp_path, encoder_id="enc")


@pytest.mark.parametrize("read", [read_measurements, read_broken, stored_keys])
def test_a_shard_that_cannot_be_read_is_named(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(StoreError, match="a shard cannot be read"):
        read(tmp_path)


def test_a_half_written_shard_is_removed_when_the_workspace_opens(tmp_path: Path) -> None:
    half = tmp_path / "embeddings" / "enc" / "x.parquet.partial"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    open_store(tmp_path)
    assert not half.exists()


def test_broken_content_is_remembered_once(tmp_path: Path) -> None:
    frame = pl.DataFrame({"content_key": ["k"], "reason": ["truncated"]}, schema=dict(BROKEN))
    write_shard(frame, tmp_path)
    write_shard(frame, tmp_path)
    assert read_broken(tmp_path).to_dicts() == [{"content_key": "k", "reason": "truncated"}]


def test_findings_keep_their_nested_predicates(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    predicates = [{"attribute": "hat", "value": "yes"}]
    row = {"run_id": "r", "system": "s", "rank": 1, "predicates": predicates}
    frame = pl.DataFrame([row | {"folded": [predicates]}], schema=dict(FINDINGS))
    families = empty(SLICES)
    store.put_findings(frame, families, run_id="r")
    read = store.read("findings").row(0, named=True)
    assert read["predicates"] == predicates
    assert read["folded"] == [predicates]


def test_a_workspace_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path, migrations=(*MIGRATIONS, lambda _: None))
    with pytest.raises(StoreError, match="newer weakspot"):
        open_store(tmp_path)


def test_a_migration_changes_an_old_workspace_and_keeps_its_rows(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_labels(make_labels(["a"], "one"))

    def add_note(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("ALTER TABLE labels ADD COLUMN note VARCHAR DEFAULT 'old'")

    open_store(tmp_path, migrations=(*MIGRATIONS, add_note))
    with store.connect() as connection:
        rows = connection.execute("SELECT sample_id, note FROM labels").fetchall()
    assert rows == [("a", "old")]


def test_findings_of_an_earlier_version_are_read_and_get_the_columns_of_corrections(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    with store.connect(read_only=False) as connection:
        for name in CORRECTED:
            connection.execute(f'ALTER TABLE findings DROP COLUMN "{name}"')
        connection.execute("INSERT INTO findings (run_id, rank) VALUES ('r', 1)")
        connection.execute("UPDATE meta SET version = 2")
    assert store.read("findings")["correction"].to_list() == [None]  # not migrated when read
    open_store(tmp_path)
    needed = [{"attribute": "hat", "value": "yes", "n": 40}]
    row = {"run_id": "r", "system": "s", "rank": 2, "checks_needed": needed, "corrected_error": 0.4}
    store.put_findings(pl.DataFrame([row], schema=dict(FINDINGS)), empty(SLICES), run_id="r")
    read = store.read("findings").sort("rank")
    assert read.select("rank", "checks_needed", "corrected_error").rows() == [
        (1, None, None),
        (2, needed, 0.4),
    ]


def test_a_result_of_an_earlier_version_gets_the_columns_that_it_did_not_have(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    old = empty(RESULTS["verdicts"]).drop("corrected")
    store.write_result("r", "verdicts", old)
    read = store.read_result("r", "verdicts")
    assert read is not None
    assert set(read.columns) == set(RESULTS["verdicts"])


def start_python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_lock_names_the_process_that_holds_it(tmp_path: Path) -> None:
    code = f"""
        import sys
        from pathlib import Path
        from pipeline.workspace.lock import lock_workspace
        with lock_workspace(Path({str(tmp_path)!r})):
            print("locked", flush=True)
            sys.stdin.read()
    """
    holder = start_python(code)
    assert holder.stdout is not None
    assert holder.stdin is not None
    with holder, holder.stdout as said:
        assert said.readline() == "locked\n"
        with pytest.raises(StoreError, match=f"process {holder.pid}"), lock_workspace(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with lock_workspace(tmp_path):  # a killed holder leaves no lock behind
            pass


def test_a_reader_waits_then_explains(tmp_path: Path) -> None:
    store = Store(open_store(tmp_path).folder, patience=0.3)
    code = f"""
        import duckdb, sys
        connection = duckdb.connect({str(store.database)!r})
        print("open", flush=True)
        sys.stdin.read()
    """
    holder = start_python(code)
    assert holder.stdout is not None
    with holder, holder.stdout as said:
        said.readline()
        with pytest.raises(StoreError, match="locked by another process"):
            store.read("labels")
        holder.kill()


def test_what_is_no_workspace_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a workspace"):
        find_store(tmp_path)
    (tmp_path / "weakspot.duckdb").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path).read("labels")


def test_an_unknown_table_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="findings, gaps, held_out, labels"):
        open_store(tmp_path).read("lables")


def make_samples(contents: dict[str, str]) -> pl.DataFrame:
    """Make samples rows of sample_id -> content_key."""
    rows = [
        {"sample_id": sample_id, "content_key": key, "path": f"{sample_id}.jpg"}
        for sample_id, key in contents.items()
    ]
    return pl.DataFrame(rows, schema=dict(SAMPLES))


def make_errors(sample_ids: list[str]) -> pl.DataFrame:
    rows = [
        {"sample_id": one, "error_id": "e", "system": "s", "metric": "miss", "error": 1.0}
        for one in sample_ids
    ]
    return pl.DataFrame(rows, schema=dict(ERRORS))


def test_labels_of_content_that_changed_under_its_path_are_forgotten(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_samples(make_samples({"a": "old", "b": "old"}))
    store.put_labels(make_labels(["a", "b"], "one"))
    store.put_samples(make_samples({"a": "new", "b": "old"}))
    assert store.read_labels(["one"])["sample_id"].to_list() == ["b"]


def test_samples_are_those_last_read_in_the_order_of_the_dataset(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_samples(make_samples({"c": "1", "a": "2", "b": "3"}))
    assert store.read_samples()["sample_id"].to_list() == ["c", "a", "b"]
    store.put_samples(make_samples({"b": "3", "d": "4"}))
    assert store.read_samples()["sample_id"].to_list() == ["b", "d"]
    assert store.read("samples")["sample_id"].to_list() == ["b", "d"]


def test_labels_and_errors_of_samples_that_are_gone_go_too(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put_samples(make_samples({"a": "1", "b": "2"}))
    store.put_labels(make_labels(["a", "b"], "one"))
    store.put_errors(make_errors(["a", "b"]))
    store.put_samples(make_samples({"b": "2"}))
    assert store.read("labels")["sample_id"].to_list() == ["b"]
    assert store.read("errors")["sample_id"].to_list() == ["b"]
    store.put_samples(make_samples({"a": "changed", "b": "2"}))  # no old label comes back
    assert list_unlabelled(store, pl.Series(["a", "b"]), "one").to_list() == ["a"]


def test_what_a_run_made_comes_back_and_is_listed_over_runs(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for run_id, value in (("2", 0.5), ("1", 0.25)):
        frame = pl.DataFrame({"run_id": [run_id], "system": ["s"], "value": [value]})
        store.write_result(run_id, "gaps", frame)
    made = store.read_result("2", "gaps")
    assert made is not None
    assert made["value"].to_list() == [0.5]
    assert store.read_result("2", "verdicts") is None
    assert store.read("gaps")["value"].to_list() == [0.25, 0.5]


def test_a_result_written_again_is_replaced(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for value in (1, 2):
        store.write_result("run", "verdicts", pl.DataFrame({"n": [value]}))
    assert store.read("verdicts")["n"].to_list() == [2]


def test_a_result_of_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match="changes, collection, combinations, disparities, gaps, held_out, pairs"
    ):
        open_store(tmp_path).write_result("run", "gap", pl.DataFrame())


@pytest.mark.parametrize("name", RESULTS)
def test_without_runs_a_result_is_an_empty_table_of_its_columns(tmp_path: Path, name: str) -> None:
    read = open_store(tmp_path).read(name)
    assert read.is_empty()
    assert read.columns == list(RESULTS[name])


def test_runs_whose_results_differ_in_columns_are_read_together(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write_result("1", "gaps", pl.DataFrame({"n": [1]}))
    store.write_result("2", "gaps", pl.DataFrame({"n": [2], "value": [0.5]}))
    assert store.read("gaps").to_dicts() == [{"n": 1, "value": None}, {"n": 2, "value": 0.5}]


def test_matches_are_kept_by_error_id(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.read_matches("e") is None
    store.put_matches("e", pl.DataFrame({"status": ["found"]}), None)
    read = store.read_matches("e")
    assert read is not None
    assert read["status"].to_list() == ["found"]


def test_matches_that_an_earlier_version_wrote_are_read_under_the_names_of_today(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    store.put_matches("e", pl.DataFrame({"outcome": ["found"], "false_claims": [1]}), None)
    read = store.read_matches("e")
    assert read is not None
    assert read.to_dict(as_series=False) == {"status": ["found"], "unmatched": [1]}


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("results/1/gaps.parquet", lambda store: store.read_result("1", "gaps")),
        ("outcomes/e.parquet", lambda store: store.read_matches("e")),
    ],
)
def test_a_kept_file_that_cannot_be_read_is_named(
    tmp_path: Path, kept: str, read: Callable[[Store], Any]
) -> None:
    store = open_store(tmp_path)
    store.write_result("1", "gaps", pl.DataFrame({"n": [1]}))
    store.put_matches("e", pl.DataFrame({"status": ["found"]}), None)
    (tmp_path / kept).write_bytes(b"no parquet")
    with pytest.raises(StoreError, match=rf"{kept}: cannot be read .* run `weakspot run` again"):
        read(store)
