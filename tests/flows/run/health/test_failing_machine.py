"""A full disk, a vanished workspace, a panic of Polars: one line each, and nothing is lost."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import polars as pl
import pytest

from flows.commands.app import main
from flows.run.audit import execute_audit
from flows.run.health.failures import MachineError, explain_failures
from flows.run.runner import DirectRunner
from pipeline.exceptions import ConfigError
from pipeline.workspace.lock import lock_workspace
from tests.flows.direct import run_directly
from tests.flows.run.small_disks import fill, mount_small_disk
from tests.flows.small_audit import SmallAudit, write_audit

P = ParamSpec("P")
R = TypeVar("R")
STAGES_THAT_WRITE = ("samples", "embed", "label", "score", "find", "coverage", "report")


class DisturbingRunner(DirectRunner):
    """Does something just before a stage."""

    def __init__(self, stage: str, disturb: Callable[[], object]) -> None:
        self.stage = stage
        self.disturb = disturb

    def run_stage(
        self, name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        if name == self.stage:
            self.disturb()
        return super().run_stage(name, stage, *arguments, **options)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The workspace on a file system of a few megabytes."""
    with mount_small_disk(tmp_path / "workspace", megabytes=24) as folder:
        yield folder


def write_audit_on(tmp_path: Path) -> SmallAudit:
    audit = write_audit(tmp_path, count=60)
    audit.config.write_text(audit.config.read_text() + '[report]\nfolder = "workspace/report"\n')
    return audit


def test_a_full_disk_in_any_stage_is_one_line_and_the_run_goes_on(
    tmp_path: Path, small_disk: Path
) -> None:
    audit = write_audit_on(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    undisturbed = run_directly(write_audit_on(elsewhere).config)
    for stage in STAGES_THAT_WRITE:
        runner = DisturbingRunner(stage, lambda: fill(small_disk))
        with pytest.raises(MachineError, match="the disk is full") as said:
            execute_audit(audit.config, runner)
        assert "\n" not in str(said.value)
        assert str(said.value).startswith("find" if stage == "coverage" else stage)
        assert f"what was computed is kept in {small_disk}" in str(said.value)
        (small_disk / "filler").unlink()
    finished = run_directly(audit.config)
    assert finished.findings == undisturbed.findings
    assert not list(small_disk.rglob("*.partial"))


def test_a_full_disk_is_exit_code_1_without_traceback(
    tmp_path: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = write_audit_on(tmp_path)
    fill(small_disk)
    with pytest.raises(SystemExit) as ended:
        main(["run", str(audit.config), "--no-prefect"])
    assert ended.value.code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "disk is full" in last


@pytest.mark.slow
def test_a_disk_that_becomes_read_only_is_one_line_and_the_run_goes_on(
    tmp_path: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = write_audit_on(tmp_path)
    for stage in ("embed", "label", "find"):
        runner = DisturbingRunner(stage, lambda: cover_read_only(small_disk))
        with pytest.raises(MachineError, match="became read-only") as said:
            execute_audit(audit.config, runner)
        assert "\n" not in str(said.value)
        uncover(small_disk)
    cover_read_only(small_disk)
    with pytest.raises(SystemExit) as ended:
        main(["run", str(audit.config), "--no-prefect"])
    uncover(small_disk)
    assert ended.value.code == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run_directly(audit.config).report


def cover_read_only(folder: Path) -> None:
    """Put the same folder over itself, as a file system that the kernel made read-only."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)


def uncover(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("stage", STAGES_THAT_WRITE)
def test_a_workspace_that_vanishes_is_said_in_one_line(tmp_path: Path, stage: str) -> None:
    audit = write_audit(tmp_path, count=24)
    run_directly(audit.config, ["embed"])
    workspace = tmp_path / "workspace"
    runner = DisturbingRunner(stage, lambda: shutil.rmtree(workspace))
    with pytest.raises(MachineError, match="is not there any more") as said:
        execute_audit(audit.config, runner)
    assert "\n" not in str(said.value)
    assert str(workspace) in str(said.value)


def test_a_panic_of_polars_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(MachineError, match=r"find: Polars failed \(index out of bounds\)"),
        explain_failures("find", tmp_path),
    ):
        raise pl.exceptions.PanicException("index out of bounds\nbacktrace")


def test_too_little_memory_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(MachineError, match="find: there is not enough memory"),
        explain_failures("find", tmp_path),
    ):
        raise MemoryError


def test_errors_that_are_not_of_the_machine_pass(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), explain_failures("find", tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "x")


def test_a_stage_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=4)
    with pytest.raises(ConfigError, match="no stage samples; the stages are embed, label"):
        run_directly(audit.config, ["samples"])
    assert not (tmp_path / "workspace").exists()


def test_a_second_run_in_a_workspace_is_refused_and_names_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = write_audit(tmp_path, count=4)
    with lock_workspace(tmp_path / "workspace"), pytest.raises(SystemExit) as ended:
        main(["run", str(audit.config), "--no-prefect"])
    assert ended.value.code == 1
    assert f"another run (process {os.getpid()})" in capsys.readouterr().err
