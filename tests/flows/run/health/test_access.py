"""What a run writes is for its owner alone, unless audit.toml says otherwise."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.run.health.access import restrict_access
from tests.flows.direct import run_directly
from tests.flows.small_audit import write_audit


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    assert os.umask(before) == 0o022


def list_modes(*folders: Path) -> set[int]:
    """Return the modes of folders and files, each with what everybody else may do."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return {stat.S_IMODE(path.stat().st_mode) & 0o777 for path in paths}


@pytest.mark.parametrize(
    ("access", "modes"),
    [(None, {0o700, 0o600}), ("owner", {0o700, 0o600}), ("umask", {0o755, 0o644})],
)
def test_workspace_and_report_have_the_modes_that_are_asked_for(
    tmp_path: Path, access: str | None, modes: set[int]
) -> None:
    audit = write_audit(tmp_path, count=24)
    if access is not None:
        audit.edit('name = "small"', f'name = "small"\naccess = "{access}"')
    run_directly(audit.config)
    assert list_modes(tmp_path / "workspace", tmp_path / "report") <= modes


def test_a_group_may_read_and_write_though_the_umask_forbids_it(tmp_path: Path) -> None:
    os.umask(0o077)
    with restrict_access("group"):
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "file").touch()
    assert os.umask(0o022) == 0o077
    assert list_modes(tmp_path / "folder") == {0o770, 0o660}
