"""What every table of audit.toml has in common: strict keys, and paths relative to the file."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo


def resolve_path(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute; relative ones are relative to the audit file."""
    base: Path = (info.context or {}).get("base", Path())
    return Path(os.path.normpath(Path.cwd() / base / path.expanduser()))


def _listed(value: Any) -> Any:  # noqa: ANN401 - raw TOML
    return [value] if isinstance(value, str) else value


Access = Literal["owner", "group", "umask"]
FilePath = Annotated[Path, AfterValidator(resolve_path)]
FilePaths = Annotated[tuple[FilePath, ...], BeforeValidator(_listed)]


class Section(BaseModel):
    """A table of audit.toml: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
