"""What every table of audit.toml has in common: strict keys, and paths relative to the file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from pipeline.files.remote_path import is_remote, make_path


def resolve_path(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute; relative ones are relative to the audit file, addresses stay."""
    if is_remote(path):
        return path
    base: Path = (info.context or {}).get("base", Path())
    return Path(os.path.normpath(Path.cwd() / base / path.expanduser()))


def _listed(value: Any) -> Any:  # noqa: ANN401 - raw TOML
    return [value] if isinstance(value, str) else value


def _take_address(value: Any) -> Any:  # noqa: ANN401 - raw TOML
    """Take a text with a scheme, such as s3://bucket/folder, as a path on other storage."""
    return make_path(value) if isinstance(value, str) and "://" in value else value


def _refuse_address(path: Path) -> Path:
    if is_remote(path):
        raise ValueError("has to be a folder of this machine")
    return path


Access = Literal["owner", "group", "umask"]
FilePath = Annotated[Path, BeforeValidator(_take_address), AfterValidator(resolve_path)]
LocalPath = Annotated[FilePath, AfterValidator(_refuse_address)]
FilePaths = Annotated[tuple[FilePath, ...], BeforeValidator(_listed)]
LocalPaths = Annotated[tuple[LocalPath, ...], BeforeValidator(_listed)]


class Section(BaseModel):
    """A table of audit.toml: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
