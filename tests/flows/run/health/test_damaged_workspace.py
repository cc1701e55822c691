"""A damaged workspace: one line says what is broken, `doctor --repair` makes a run work again."""

from pathlib import Path

import pytest

from flows.commands.app import main
from pipeline.exceptions import DamagedDatabaseError, StoreError
from pipeline.workspace.store import Store, find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import write_audit


def run_command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def overwrite(path: Path, *, start: int, step: int) -> None:
    data = bytearray(path.read_bytes())
    for place in range(start, len(data), step):
        data[place] ^= 8
    path.write_bytes(data)


def test_a_damaged_workspace_is_repaired_and_gives_the_same_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = write_audit(tmp_path, count=60)
    before = run_directly(audit.config)
    workspace = tmp_path / "workspace"
    assert run_command("doctor", str(workspace)) == 0
    assert "no damage found" in capsys.readouterr().out
    (shard,) = (workspace / "embeddings").glob("*/*.parquet")
    database, manifest = workspace / "weakspot.duckdb", workspace / "manifests" / "score.json"
    answers = workspace / "checks" / "journal.jsonl"
    answers.parent.mkdir(exist_ok=True)
    answers.write_text('{"kind": "answ\n')
    overwrite(shard, start=500, step=10_000)
    overwrite(workspace / "dataset" / "objects.parquet", start=0, step=7)
    overwrite(database, start=20_000, step=3000)
    manifest.write_text("{")

    with pytest.raises(DamagedDatabaseError, match="--repair` moves it aside"):
        run_directly(audit.config)
    assert run_command("run", str(audit.config), "--no-prefect") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"error: {database}: damaged")
    assert run_command("doctor", str(workspace)) == 1
    lines = capsys.readouterr().out.splitlines()
    for path in (shard, database, manifest, answers, workspace / "dataset" / "objects.parquet"):
        assert sum(line.startswith(f"damaged: {path}: ") for line in lines) == 1, path
    assert "nothing is changed yet" in lines[-1]
    assert run_command("doctor", str(workspace), "--repair") == 0
    assert [path.name for path in workspace.glob("*.damaged-*")]
    capsys.readouterr()
    after = run_directly(audit.config)
    assert after.findings == before.findings
    assert find_store(workspace).read("runs").height == 1


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 20_000])
def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.database.write_bytes(content)
    with pytest.raises(DamagedDatabaseError) as said:
        store.read("samples")
    assert str(said.value).startswith(f"{store.database}: damaged")
    assert "\n" not in str(said.value)


def test_a_database_that_is_not_there_yet_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not there yet"):
        Store(tmp_path).read("samples")


def test_doctor_refuses_what_is_no_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("doctor", str(tmp_path), "--repair") == 1
    assert "not a workspace" in capsys.readouterr().err
    assert run_command("doctor", "--repair") == 2
    assert not list(tmp_path.iterdir())
