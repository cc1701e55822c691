"""`weakspot export`: every table in every format, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.arrays import Vectors
from pipeline.tables import SLICES, TABLES, empty
from pipeline.workspace.shards import write_shard, write_vectors
from pipeline.workspace.store import Store, find_store, open_store
from tests.flows.command import call

HAT = [{"attribute": "hat", "value": 'a "yes", or\nso'}, {"attribute": "näme", "value": "<b>"}]


def make_rows(table: str) -> pl.DataFrame:
    """Return two rows of any table: the first full, the second as empty as its types allow."""
    full: dict[str, object] = {}
    for name, dtype in TABLES[table].items():
        example: object = f'{name} of, the "first"'
        if dtype == pl.Int64:
            example = 7
        elif dtype == pl.Float64:
            example = 0.1 + 0.2
        elif dtype.is_nested():
            example = [HAT, HAT[:1]] if name == "folded" else HAT
        full[name] = None if name == "sample_limit" else example
    bare: dict[str, object] = {
        name: [] if TABLES[table][name].is_nested() else None for name in full
    }
    first = next(iter(full))
    return pl.DataFrame([full, bare | {first: "second"}], schema=dict(TABLES[table]))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Make a workspace with rows in every table."""
    store = open_store(tmp_path_factory.mktemp("workspace"))
    store.put_samples(make_rows("samples"))
    store.put_rejects(make_rows("rejects").with_columns(stage=pl.lit("embed")), stage="embed")
    store.put_labels(make_rows("labels"))
    store.put_errors(make_rows("errors"))
    store.put_run(make_rows("runs"))
    store.put_findings(make_rows("findings"), make_rows("slices"), run_id="run")
    write_shard(make_rows("measurements"), store.measurements)
    for encoder, width in (("one", 4), ("two", 6)):
        values = np.eye(3, width, dtype=np.float32)
        keys = pl.Series(["c", "a", "b"])
        write_vectors(Vectors(keys, values, encoder), store.embeddings)
    return store


@pytest.mark.parametrize("table", TABLES)
def test_parquet_holds_the_table_as_it_is(store: Store, tmp_path: Path, table: str) -> None:
    file = tmp_path / "table.parquet"
    told = call("export", store.folder, table, file, "--all-runs")
    assert (told.code, told.err) == (0, "")
    assert told.out == f"wrote 2 rows of {table} to {file}\n"
    assert_frame_equal(pl.read_parquet(file), store.read(table))
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("table", TABLES)
def test_json_holds_the_same_rows(store: Store, tmp_path: Path, table: str) -> None:
    file = tmp_path / "table.json"
    assert call("export", store.folder, table, file, "--all-runs").code == 0
    assert json.loads(file.read_text(encoding="utf-8")) == store.read(table).to_dicts()


@pytest.mark.parametrize("table", TABLES)
def test_csv_holds_the_same_rows_with_nested_columns_as_json(
    store: Store, tmp_path: Path, table: str
) -> None:
    file = tmp_path / "table.csv"
    assert call("export", store.folder, table, file, "--all-runs").code == 0
    stored = store.read(table)
    nested = [name for name, dtype in stored.schema.items() if dtype.is_nested()]
    schema = {n: pl.String() if n in nested else t for n, t in stored.schema.items()}
    read = pl.read_csv(file, schema=schema)
    assert_frame_equal(read.drop(nested), stored.drop(nested))
    for name in nested:
        assert [json.loads(cell) for cell in read[name]] == stored[name].to_list()
    assert nested or table not in {"slices", "findings"}


@pytest.mark.parametrize("suffix", ["parquet", "json", "csv"])
def test_vectors_of_several_encoders_are_exported(
    store: Store, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"vectors.{suffix}"
    assert call("export", store.folder, "embeddings", file).code == 0
    if suffix == "csv":
        frame = pl.read_csv(file)
        vectors = [json.loads(cell) for cell in frame["vector"]]
    else:
        frame = pl.read_parquet(file) if suffix == "parquet" else pl.read_json(file)
        vectors = frame["vector"].to_list()
    assert frame["encoder_id"].to_list() == ["one"] * 3 + ["two"] * 3
    assert frame["content_key"].to_list() == ["a", "b", "c"] * 2
    assert [len(vector) for vector in vectors] == [4] * 3 + [6] * 3
    assert vectors[0] == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("suffix", ["parquet", "json", "csv"])
def test_a_table_without_rows_is_a_file_without_rows(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "workspace"
    open_store(folder)
    file = tmp_path / f"slices.{suffix}"
    told = call("export", folder, "slices", file)
    assert told.out == f"wrote 0 rows of slices to {file}\n"
    if suffix == "parquet":
        assert_frame_equal(pl.read_parquet(file), empty(SLICES))
    elif suffix == "csv":
        assert file.read_text(encoding="utf-8").strip() == ",".join(SLICES)
    else:
        assert json.loads(file.read_text(encoding="utf-8")) == []


def test_a_file_that_is_there_is_replaced_whole(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text("x" * 100_000, encoding="utf-8")
    assert call("export", store.folder, "labels", file).code == 0
    assert len(json.loads(file.read_text(encoding="utf-8"))) == 2


def test_an_unknown_table_is_refused_with_the_known_ones(store: Store, tmp_path: Path) -> None:
    told = call("export", store.folder, "label", tmp_path / "x.csv")
    assert (told.code, told.out) == (2, "")
    assert "no table 'label'" in told.err
    assert all(name in told.err for name in (*TABLES, "embeddings"))


@pytest.mark.parametrize("name", ["x.txt", "x", "csv", "x.parquet.gz"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(
    store: Store, tmp_path: Path, name: str
) -> None:
    told = call("export", store.folder, "labels", tmp_path / name)
    assert told.code == 2
    assert ".parquet, .csv, .json" in told.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_workspace_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        told = call("export", folder, "labels", tmp_path / "x.csv")
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith(f"error: {folder}: not a workspace")


@pytest.mark.parametrize("name", ["nowhere/x.csv", "folder.csv", "folder.parquet", "folder.json"])
def test_a_place_that_cannot_be_written_is_told(store: Store, tmp_path: Path, name: str) -> None:
    for suffix in ("csv", "parquet", "json"):
        (tmp_path / f"folder.{suffix}").mkdir()
    told = call("export", store.folder, "labels", tmp_path / name)
    assert told.code == 2
    assert told.err.startswith(f"error: {tmp_path / name}: ")
    assert "None" not in told.err
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("table", ["embeddings", "measurements", "slices"])
def test_a_broken_file_of_the_workspace_is_told(tmp_path: Path, table: str) -> None:
    store = open_store(tmp_path / "workspace")
    folder = {"embeddings": store.embeddings / "one", "measurements": store.measurements}
    place = folder.get(table, store.slices)
    place.mkdir(parents=True, exist_ok=True)
    (place / "bad.parquet").write_bytes(b"PAR1 no parquet")
    told = call("export", store.folder, table, tmp_path / "x.csv")
    assert told.code == 1
    assert told.err.startswith(f"error: {store.folder}")
    assert "cannot be read" in told.err


def test_a_broken_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "weakspot.duckdb").write_text("no database", encoding="utf-8")
    told = call("export", tmp_path, "labels", tmp_path / "x.csv")
    assert told.code == 1
    assert str(tmp_path / "weakspot.duckdb") in told.err


def test_the_example_rows_are_in_the_store(store: Store) -> None:
    assert find_store(store.folder).read("findings")["predicates"].to_list()[0] == HAT
