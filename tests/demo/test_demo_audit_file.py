from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.commands.demo import app
from pipeline.config.audit import read_audit
from pipeline.demo.audit_files import clear_demo, find_encoder, write_audit
from pipeline.demo.scene_truth import CONDITION_SHARES, PERSON_SHARES
from pipeline.demo.world import write_world
from pipeline.exceptions import ConfigError


def test_the_audit_of_the_demo_is_valid_and_names_what_lies_there(tmp_path: Path) -> None:
    world = write_world(tmp_path / "world", images=2, seed=0)
    audit = read_audit(
        write_audit(tmp_path, world, systems={"one": "a.json", "two": "b.json"}, min_score=0.3)
    )
    assert audit.dataset.annotations == (world.annotations,)
    assert audit.dataset.images == (world.images,)
    assert [system.name for system in audit.systems] == ["one", "two"]
    assert audit.systems[1].predictions == (tmp_path / "b.json",)
    assert audit.encoder is not None
    assert audit.encoder.model == f"local-dir:{find_encoder()}"
    assert audit.dataset.truth is not None
    assert audit.dataset.truth.file == world.attributes
    assert set(audit.dataset.truth.attributes) == {*CONDITION_SHARES, *PERSON_SHARES}
    for name in audit.attributes.use:
        assert (tmp_path / name).is_file()


def test_clearing_leaves_what_the_demo_did_not_make(tmp_path: Path) -> None:
    clear_demo(tmp_path)
    (tmp_path / "world").mkdir()
    (tmp_path / "mine.txt").write_text("kept")
    clear_demo(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert not (tmp_path / "world").exists()


def test_the_command_draws_as_many_images_as_asked(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["world", str(tmp_path), "--images", "3", "--workers", "1"])
    assert result.exit_code == 0
    assert "drew 3 images" in result.stdout
    assert len(list((tmp_path / "images").glob("*.jpg"))) == 3


@pytest.mark.parametrize("arguments", [["--images", "0"], ["--seed", "-1"]])
def test_the_command_refuses_what_cannot_be_drawn(tmp_path: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["world", str(tmp_path), *arguments]).exit_code == 2


def test_a_folder_that_is_no_demo_is_not_cleared(tmp_path: Path) -> None:
    mine = tmp_path / "report" / "mine.html"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ConfigError, match="no earlier demo"):
        clear_demo(tmp_path)
    assert mine.read_text() == "mine"
