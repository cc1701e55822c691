"""How the command answers: versions, help, and wrong usage with exit code 2 on standard error."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from pipeline.labels.attribute_file import list_shipped
from tests.flows.command import ROOT, call

STAGES = ("run", "embed", "label", "score", "find", "report")
FAULTY = """\
name = "faulty"
workspce = "workspace"
[dataset]
format = "cocoo"
images = "images"
[attributes]
use = []
"""


def test_the_version_is_that_of_the_distribution() -> None:
    told = call("--version")
    assert (told.code, told.out, told.err) == (0, f"weakspot {version('weakspot')}\n", "")


def test_the_module_answers_as_the_command_does() -> None:
    command = [sys.executable, "-m", "flows.commands.app", "export", ".", "labels", "x.txt"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: x.txt: write to a file that ends in ")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(flag: str) -> None:
    told = call(flag)
    assert told.code == 0
    named = {line.split()[1] for line in told.out.splitlines() if line.startswith("│ ")}
    assert {*STAGES, "init", "export", "attributes", "doctor", "slices"} <= named


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",), ("--nosuch",), ("run",), ("run", "a", "b"), ("run", "a", "--nosuch"),
        ("run", "a", "--limit", "0"), ("run", "a", "--limit", "many"), ("export", "a", "labels"),
        ("attributes", "nosuch"), ("attributes", "check"), ("attributes", "check", "nowhere.toml"),
        ("slices", "table.csv"), ("slices", "table.csv", "--error", "e", "--engine", "steam"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_on_standard_error(arguments: tuple[str, ...]) -> None:
    told = call(*arguments)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("Usage: weakspot")
    assert "Error" in told.err


@pytest.mark.parametrize("arguments", [(), ("attributes",)])
def test_without_a_command_help_is_shown(arguments: tuple[str, ...]) -> None:
    told = call(*arguments)
    assert told.code == 2
    assert "Usage: weakspot" in told.out + told.err


@pytest.mark.parametrize("stage", [*STAGES, "dry run"])
def test_every_stage_lists_all_faults_of_the_audit_with_their_lines(
    tmp_path: Path, stage: str
) -> None:
    config = tmp_path / "audit.toml"
    config.write_text(FAULTY, encoding="utf-8")
    told = call(*(["run", "--dry-run"] if stage == "dry run" else [stage]), config)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"error: {config}: 4 problems")
    assert "line 2: unknown key 'workspce'; did you mean 'workspace'?" in told.err
    assert "line 4: dataset.format: " in told.err
    assert "key 'systems' is missing" in told.err
    assert list(tmp_path.iterdir()) == [config]


@pytest.mark.parametrize("stage", STAGES)
def test_an_audit_that_cannot_be_read_is_named(tmp_path: Path, stage: str) -> None:
    (tmp_path / "broken.toml").write_text("name = \n", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("nowhere.toml", "broken.toml", "binary.toml", "."):
        told = call(stage, tmp_path / name, "--json")
        assert (told.code, told.out) == (2, "")
        assert told.err.startswith(f"error: {tmp_path / name}: ")


def test_attributes_list_names_every_shipped_file() -> None:
    told = call("attributes", "list")
    assert (told.code, told.err) == (0, "")
    assert [line.split()[0] for line in told.out.splitlines()] == list(list_shipped())
    rows = json.loads(call("attributes", "list", "--json").out)["attributes"]
    assert [row["name"] for row in rows] == list(list_shipped())


def test_attributes_check_ends_with_1_for_a_fault_and_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hat.toml"
    file.write_text('name = "hat"\nkind = "promts"\n', encoding="utf-8")
    told = call("attributes", "check", file)
    assert told.code == 1
    assert f"{file}: line 2: " in told.out


def test_doctor_finds_this_installation_well() -> None:
    told = call("doctor")
    assert told.code == 0, told.out
    lines = told.out.splitlines()
    assert len(lines) >= 6
    assert all(line.startswith("ok  ") for line in lines)
    assert any(f"{len(list_shipped())} shipped" in line for line in lines)


def test_what_the_system_refuses_is_told_without_a_traceback(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "image.png")
    page = tmp_path / "image.png" / "page.html"
    told = call("attributes", "preview", "image/brightness", tmp_path, "--out", page)
    assert told.code == 1
    assert told.err.startswith("error: ")
    assert str(tmp_path / "image.png") in told.err
