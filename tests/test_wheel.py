"""The wheel holds the four packages with all their data, and works from where it is unpacked."""

import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from pipeline.labels.attribute_file import list_shipped

ROOT = Path(__file__).parents[1]
PACKAGES = ("attributes", "flows", "pipeline", "reports")
NEEDED = (
    "attributes/README.md",
    "attributes/person/hat.toml",
    "flows/commands/starter/head.toml",
    "flows/commands/starter/my-attributes/uniform.toml",
    "reports/templates/page.html",
    "reports/templates/style.css",
    "pipeline/demo/training/words.toml",
    "pipeline/demo/attributes/headwear.toml",
    "pipeline/demo/encoder/open_clip_config.json",
    "pipeline/demo/encoder/open_clip_model.safetensors",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this tree and unpack it; return the folder."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("weakspot-*-py3-none-any.whl")
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(built) as archive:
        assert archive.testzip() is None
        archive.extractall(unpacked)
    return unpacked


def run(wheel: Path, folder: Path, *arguments: str) -> str:
    """Run Python elsewhere, with the unpacked wheel beside the environment's other packages."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata_folder(wheel: Path) -> Path:
    (folder,) = wheel.glob("*.dist-info")
    return folder


def test_the_top_level_names_are_the_four_packages(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir()} == {*PACKAGES, metadata_folder(wheel).name}


def test_every_file_of_the_packages_is_there_and_nothing_else(wheel: Path) -> None:
    def list_files(root: Path) -> set[str]:
        found = (path for name in PACKAGES for path in (root / name).rglob("*") if path.is_file())
        names = {path.relative_to(root).as_posix() for path in found}
        return {name for name in names if "__pycache__" not in name and ".mypy_cache" not in name}

    assert list_files(wheel) == list_files(ROOT)


@pytest.mark.parametrize("name", NEEDED)
def test_a_data_file_is_there(wheel: Path, name: str) -> None:
    assert (wheel / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_licence_and_the_metadata_are_those_of_the_project(wheel: Path) -> None:
    folder = metadata_folder(wheel)
    assert (folder / "licenses" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    text = (folder / "METADATA").read_text(encoding="utf-8")
    told = Parser().parsestr(text)
    assert told["Name"] == "weakspot"
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Requires-Python"] == ">=3.11"
    entry = (folder / "entry_points.txt").read_text(encoding="utf-8")
    assert "weakspot = flows.commands.app:main" in entry


def test_the_packages_come_from_the_wheel_and_find_their_data(wheel: Path, tmp_path: Path) -> None:
    script = (
        f"import json, {', '.join(PACKAGES)}\n"
        "from pipeline.demo.audit_files import find_encoder\n"
        f"modules = [{', '.join(PACKAGES)}]\n"
        "print(json.dumps([*[m.__file__ for m in modules], str(find_encoder())]))\n"
    )
    places = json.loads(run(wheel, tmp_path, "-c", script))
    assert all(Path(place).is_relative_to(wheel) for place in places)
    assert (Path(places[-1]) / "open_clip_config.json").exists()


@pytest.mark.slow
def test_the_command_works_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    version = metadata_folder(wheel).name.removeprefix("weakspot-").removesuffix(".dist-info")
    assert run(wheel, tmp_path, "-m", "flows.commands.app", "--version") == f"weakspot {version}\n"
    listed = run(wheel, tmp_path, "-m", "flows.commands.app", "attributes", "list")
    assert [line.split()[0] for line in listed.splitlines()] == list(list_shipped())
    examined = run(wheel, tmp_path, "-m", "flows.commands.app", "doctor").splitlines()
    assert all(line.startswith("ok  ") for line in examined)
    run(wheel, tmp_path, "-m", "flows.commands.app", "init", "my-audit")
    assert (tmp_path / "my-audit" / "my-attributes" / "uniform.toml").exists()
