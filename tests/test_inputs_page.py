"""docs/inputs.md is up to date, and its examples are read by what reads a user's files."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from flows.commands.dry_run import check_audit
from pipeline.labels.attribute_file import Attribute, check_attribute
from tests import inputs_page
from tests.tiny_clip import write_tiny

PAGE = inputs_page.PAGE.read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
# Of each example: how many samples it has, and errors of all its systems.
AUDITS = {"folder": (2, 2), "table": (2, 4), "coco": (2, 2), "yolo": (2, 2), "voc": (2, 2),
          "truth": (2, 2)}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every file of the page, and the pictures that they name."""
    folder = tmp_path_factory.mktemp("world")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "images").mkdir()
    for name, category, gray in (("tom", "cat", 40), ("rex", "dog", 200)):
        picture = folder / "images" / f"{name}.png"
        Image.new("RGB", (64, 48), (gray, gray, 99)).save(picture)
        (folder / "classes" / category).mkdir(parents=True)
        shutil.copy(picture, folder / "classes" / category)
    write_tiny(folder / "model")
    return folder


def test_the_page_is_up_to_date() -> None:
    assert inputs_page.fill_page(PAGE) == PAGE, "run `make docs`"


def test_every_table_of_audit_toml_is_on_the_page_and_every_key_has_its_meaning() -> None:
    asked = {model.__name__ for model in inputs_page.list_models()}
    shown = {model.__name__ for model in inputs_page.TABLES.values()}
    assert asked - shown == {"TruthValue"}
    assert inputs_page.list_undescribed() == []


def test_a_page_that_is_old_is_noticed() -> None:
    old = PAGE.replace("| `seed` |", "| `sed` |")
    assert old != PAGE
    assert inputs_page.fill_page(old) == PAGE


@pytest.mark.parametrize("name", AUDITS)
def test_every_example_of_an_audit_is_read_whole(world: Path, name: str) -> None:
    plan = check_audit(world / f"audit-{name}.toml", limit=None)
    samples, errors = AUDITS[name]
    assert (plan.counts["samples"], plan.counts["errors"]) == (samples, errors)
    left = ("rejects", "samples_without_error", "errors_without_sample")
    assert [plan.counts[name] for name in left] == [0, 0, 0]
    unread = ("of the dataset's own files: other split 1",) if name == "table" else ()
    assert plan.problems == unread


def test_every_file_of_the_page_is_one_of_an_example() -> None:
    assert {f"audit-{name}.toml" for name in AUDITS} == {f for f in FILES if f.startswith("audit-")}
    audits = "".join(text for name, text in FILES.items() if name.startswith("audit-"))
    others = set(FILES) - {f"audit-{name}.toml" for name in AUDITS} - {"bright.toml", "wet.toml"}
    unnamed = {name for name in others if f'"{Path(name).parts[0]}"' not in audits}
    assert unnamed == {"labels/tom.txt", "labels/rex.txt"}


@pytest.mark.parametrize("name", ["hat.toml", "bright.toml", "wet.toml"])
def test_every_example_of_an_attribute_is_free_of_faults(world: Path, name: str) -> None:
    assert check_attribute(world / name) == []


def test_the_keys_of_attribute_files_are_all_in_their_table() -> None:
    readme = (inputs_page.PAGE.parents[1] / "attributes" / "README.md").read_text(encoding="utf-8")
    table = readme.split("## The keys")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(Attribute.model_fields)
