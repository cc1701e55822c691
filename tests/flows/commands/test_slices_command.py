"""`weakspot slices`: what it prints, refuses and leaves out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from flows.commands.slices import slices
from pipeline.exceptions import ConfigError, SearchError, TableError, WeakspotError
from pipeline.slices import audit_slices
from tests.slices.planted import plant

app = typer.Typer(pretty_exceptions_enable=False)
app.command("slices")(slices)


def run(*arguments: str) -> tuple[str, str]:
    """Run the command in this process; errors of the user come as exceptions."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, WeakspotError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the same planted table as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("tables")
    planted = plant(1, 3000)
    table = planted.table.with_columns(
        loss=planted.errors, image=pl.Series(np.arange(3000) // 2), often=pl.lit(1.5),
        lens=pl.Series(np.random.default_rng(0).random(3000)),
    )  # fmt: skip
    table.write_parquet(folder / "table.parquet")
    table.write_csv(folder / "table.csv")
    return {"parquet": folder / "table.parquet", "csv": folder / "table.csv"}


NAMES = ",".join(f"a{j}" for j in range(10))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_json_is_one_object_with_the_fields_of_a_run(files: dict[str, Path], kind: str) -> None:
    out, err = run(
        str(files[kind]), "--error", "loss", "--attributes", NAMES, "--top", "4", "--json",
        "--permutations", "50",
    )  # fmt: skip
    content = json.loads(out)
    planted = plant(1, 3000)
    want = audit_slices(planted.table, planted.errors, top=4, permutations=50)
    assert content["slices"] == want.family.head(4).to_dicts()
    assert content["findings"] == want.findings.to_dicts()
    assert len(content["findings"]) == 4
    assert content["n"] == 3000
    assert content["detectable_gap"] == want.detectable_gap
    assert "with the cube engine" in err


def test_people_get_tables_on_stdout_and_the_log_on_stderr(files: dict[str, Path]) -> None:
    out, err = run(str(files["csv"]), "--error", "loss", "--attributes", NAMES, "--max-level", "1")
    assert "Findings" in out
    assert "confirmed" in out
    assert "by score" in out
    assert "Counted" not in out
    assert "Counted" in err


def test_nothing_found_is_said_with_the_gap_that_could_have_been(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,e\n" + "x,0\ny,1\nx,1\ny,0\n" * 50)
    out, err = run(str(file), "--error", "e")
    assert "No slice holds up as a finding." in out
    assert "Would have been found four times in five" in err


def test_groups_weights_and_wishes_reach_the_search(files: dict[str, Path]) -> None:
    out, _ = run(
        str(files["parquet"]), "--error", "loss", "--groups", "image", "--weights", "often",
        "--attributes", NAMES, "--must", "a1", "--must-not", "a2=v0", "--engine", "cube",
        "--confirm", "0.5", "--seed", "3", "--max-level", "2", "--min-support", "30",
        "--permutations", "0", "--json",
    )  # fmt: skip
    content = json.loads(out)
    assert content["n"] + content["holdout_n"] == 3000
    for found in content["slices"]:
        pairs = {(p["attribute"], p["value"]) for p in found["predicates"]}
        assert any(name == "a1" for name, _ in pairs)
        assert ("a2", "v0") not in pairs
        assert found["weight"] == pytest.approx(1.5 * found["n"])


def test_real_numbers_are_left_out_aloud_unless_asked_for(files: dict[str, Path]) -> None:
    out, err = run(str(files["parquet"]), "--error", "loss", "--max-level", "1", "--json",
                   "--permutations", "0")  # fmt: skip
    assert "column 'lens' left out: real numbers" in err
    assert any("'lens'" in note for note in json.loads(out)["notes"])
    assert "'often' left out" in err


def test_empty_cells_are_unknown_and_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("hat,e\nyes,1\n,0\n,1\nno,0\n")
    out, err = run(str(file), "--error", "e", "--min-support", "1", "--json")
    values = {s["predicates"][0]["value"]: s["n"] for s in json.loads(out)["slices"]}
    assert values == {"yes": 1, "no": 1, "unknown": 2}
    assert "'hat': 2 empty cells are 'unknown'" in err
    left, _ = run(str(file), "--error", "e", "--min-support", "1", "--json", "--exclude-unknown")
    assert {s["predicates"][0]["value"] for s in json.loads(left)["slices"]} == {"yes", "no"}


@pytest.mark.parametrize(
    ("content", "arguments", "kind", "message"),
    [
        (
            "a,e\nx,1\ny,\nx,bad\n",
            ["--error", "e"],
            TableError,
            r"no number in rows 2, 3 \(None, 'bad'",
        ),
        ("a,e\nx,NaN\ny,-1\nx,inf\n", ["--error", "e"], TableError, "negative in rows 2"),
        ("a,e\nx,NaN\ny,-1\nx,inf\n", ["--error", "e"], TableError, "not a number in rows 1;"),
        ("a,e\nx,NaN\ny,-1\nx,inf\n", ["--error", "e"], TableError, "infinite in rows 3;"),
        ("a,e\nx,1\n", ["--error", "z", "--attributes", "b"], ConfigError, "no column 'z', 'b'"),
        ("a,e\nx,1\n", ["--error", "e", "--attributes", "e"], ConfigError, "one thing only"),
        ("a,e\nx,1\n", ["--error", "e", "--must", "hat"], SearchError, "'hat'"),
        ("a,e\nx,1\n", ["--error", "e", "--alpha", "7"], SearchError, "alpha is 7"),
        ("e\n1\n", ["--error", "e"], TableError, "no column is left"),
        ("", ["--error", "e"], TableError, "empty"),
    ],
)
def test_faults_are_named(
    tmp_path: Path, content: str, arguments: list[str], kind: type[WeakspotError], message: str
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content)
    with pytest.raises(kind, match=message):
        run(str(file), *arguments)


def test_runs_of_ordered_values_are_searched_and_printed(tmp_path: Path) -> None:
    sizes = ["<= 32"] * 200 + ["(32, 128]"] * 60 + ["> 128"] * 20
    losses = [int(i % 10 == 0) for i in range(200)] + [int(i % 5 < 3) for i in range(80)]
    file = tmp_path / "t.csv"
    pl.DataFrame({"size": sizes, "loss": losses, "x": ["a", "b"] * 140}).write_csv(file)
    order = "size=<= 32, (32, 128], > 128"
    out, _ = run(str(file), "--error", "loss", "--ordered", order, "--permutations", "99")
    assert "size > 32" in out
    assert "family-wise" in out
    out, _ = run(str(file), "--error", "loss", "--ordered", order, "--json")
    worst = json.loads(out)["findings"][0]
    assert worst["predicates"] == [{"attribute": "size", "value": "> 32"}]
    assert worst["n"] == 80


@pytest.mark.parametrize("order", ["size", "size=", "size=a"])
def test_an_order_that_cannot_be_read_is_named(files: dict[str, Path], order: str) -> None:
    with pytest.raises(ConfigError, match="expected ATTRIBUTE=VALUE,VALUE"):
        run(str(files["csv"]), "--error", "loss", "--ordered", order)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        run(str(tmp_path / "none.csv"), "--error", "e")


@pytest.mark.slow
def test_neither_prefect_nor_torch_is_loaded(files: dict[str, Path]) -> None:
    code: Any = (
        "import sys, typer\n"
        "from flows.commands.slices import slices\n"
        "app = typer.Typer(); app.command()(slices)\n"
        f"app([{str(files['csv'])!r}, '--error', 'loss', '--max-level', '1'],"
        " standalone_mode=False)\n"
        "print([m for m in ('prefect', 'torch', 'sliceline', 'sklearn') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
