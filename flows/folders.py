"""The folders that an audit writes to, looked at before an hour of work is lost on them."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Audit
from pipeline.exceptions import ConfigError


def check_folders(audit: Audit, *, config: Path) -> None:
    """Raise ConfigError when the workspace or the report's folder cannot be made or written."""
    asked = {"workspace": audit.workspace, "[report] folder": audit.report.folder}
    problems = [
        f"{key} {folder}: {problem}" for key, folder in asked.items() for problem in _doubt(folder)
    ]
    if problems:
        raise ConfigError.from_problems(str(config), problems)


def _doubt(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the nearest part of the path that is there already."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        yield f"{there} is no folder; move it away or name another folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"{there} cannot be written; change its permissions or name another folder"
