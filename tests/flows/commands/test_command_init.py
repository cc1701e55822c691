"""`weakspot init`: what it writes can be read, and nothing is overwritten."""

from pathlib import Path

from flows.commands.init import FILES
from pipeline.config.audit import read_audit
from pipeline.labels.attribute_file import check_attribute, read_attributes
from tests.flows.command import call


def test_the_files_are_written_and_the_next_step_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "my-audit"
    told = call("init", folder)
    assert (told.code, told.err) == (0, "")
    written = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert written == sorted(FILES)
    assert f"weakspot run {folder / 'audit.toml'}" in told.out


def test_the_audit_and_its_attributes_are_read_as_they_stand(tmp_path: Path) -> None:
    call("init", tmp_path)
    audit = read_audit(tmp_path / "audit.toml")
    names = [a.name for a in read_attributes(audit.attributes.use, base=tmp_path)]
    assert "uniform" in names
    assert check_attribute(tmp_path / "my-attributes" / "uniform.toml") == []
    assert audit.workspace == tmp_path / "workspace"


def test_every_line_of_the_audit_is_explained_or_plain(tmp_path: Path) -> None:
    call("init", tmp_path)
    lines = (tmp_path / "audit.toml").read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) > 15


def test_an_example_that_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    call("init", tmp_path)
    path = tmp_path / "audit.toml"
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ")
        is_example = bare.startswith("[") or " = " in bare.split("#")[0]
        kept.append(bare if line.startswith("# ") and is_example else line)
    others = ("table =", "[dataset.boxes]", "detector =", "min_score = 0.5")  # of other formats
    text = "\n".join(line for line in kept if not line.startswith(others))
    path.write_text(text, encoding="utf-8")
    audit = read_audit(path)
    assert audit.dataset.truth is not None
    assert audit.dataset.split == "val"
    assert audit.attributes.given == ("category",)
    assert audit.gates is not None
    assert audit.fairness is not None


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
