"""`weakspot init`: what it writes can be read, and nothing is overwritten."""

from pathlib import Path

import pytest

from flows.commands.init import FILES
from pipeline.config.audit import read_audit
from pipeline.config.dataset_formats import FORMATS
from pipeline.labels.attribute_file import check_attribute, read_attributes
from tests.flows.command import call


def test_the_files_are_written_and_the_next_step_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "my-audit"
    told = call("init", folder)
    assert (told.code, told.err) == (0, "")
    written = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert written == sorted(FILES)
    assert f"weakspot run {folder / 'audit.toml'}" in told.out


@pytest.mark.parametrize("name", FORMATS)
def test_the_audit_and_its_attributes_are_read_as_they_are(tmp_path: Path, name: str) -> None:
    assert call("init", tmp_path, "--format", name).code == 0
    audit = read_audit(tmp_path / "audit.toml")
    names = [a.name for a in read_attributes(audit.attributes.use, base=tmp_path)]
    assert "uniform" in names
    assert check_attribute(tmp_path / "my-attributes" / "uniform.toml") == []
    assert audit.workspace == tmp_path / "workspace"
    assert audit.dataset.format == name


def test_a_scaffold_is_of_coco_where_no_format_is_named(tmp_path: Path) -> None:
    call("init", tmp_path / "plain")
    call("init", tmp_path / "coco", "--format", "coco")
    plain, coco = (tmp_path / name / "audit.toml" for name in ("plain", "coco"))
    assert plain.read_bytes() == coco.read_bytes()


def test_an_unknown_format_is_refused_with_those_there_are(tmp_path: Path) -> None:
    told = call("init", tmp_path / "new", "--format", "kitti")
    assert told.code == 2
    assert all(name in told.err for name in FORMATS)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_dry_run_names_each_file_that_is_not_there_yet(tmp_path: Path, name: str) -> None:
    call("init", tmp_path, "--format", name)
    audit = read_audit(tmp_path / "audit.toml")
    named = [*audit.dataset.annotations, *audit.systems[0].predictions]
    named += [audit.dataset.table] if audit.dataset.table else []
    told = call("run", tmp_path / "audit.toml", "--dry-run")
    assert told.code == 2
    assert [str(path) for path in named if str(path) not in told.err] == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_line_of_the_audit_is_explained_or_plain(tmp_path: Path, name: str) -> None:
    call("init", tmp_path, "--format", name)
    lines = (tmp_path / "audit.toml").read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) > 15
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("name", FORMATS)
def test_an_example_that_is_commented_out_is_valid_too(tmp_path: Path, name: str) -> None:
    call("init", tmp_path, "--format", name)
    path = tmp_path / "audit.toml"
    kept: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ")
        is_example = bare.startswith("[") or " = " in bare.split("#")[0]
        if line.startswith("# ") and is_example:
            key = bare.split(" = ")[0]
            section = next((at for at in reversed(range(len(kept))) if kept[at].startswith("[")), 0)
            shown = [at for at in range(section, len(kept)) if kept[at].startswith(f"{key} = ")]
            for at in shown:  # an example of another value of a key that is set
                del kept[at]
        kept.append(bare if line.startswith("# ") and is_example else line)
    path.write_text("\n".join(kept), encoding="utf-8")
    audit = read_audit(path)
    assert audit.dataset.truth is not None
    assert audit.dataset.split == "val"
    assert audit.attributes.given == ("category",)
    assert audit.gates is not None
    assert audit.fairness is not None
    assert (audit.dataset.boxes is not None) == (name in {"folder", "table"})


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "audit.toml").write_text("mine", encoding="utf-8")
    told = call("init", tmp_path)
    assert told.code == 2
    assert "there already" in told.err
    assert (tmp_path / "audit.toml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "my-attributes").exists()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        told = call("init", folder)
        assert told.code == 2
        assert told.err.startswith(f"error: {folder / 'audit.toml'}: cannot be written")
