"""What `weakspot init` writes: a commented audit and one example attribute file."""

import importlib.resources
from pathlib import Path

from pipeline.exceptions import ConfigError

FILES = ("audit.toml", "my-attributes/uniform.toml")


def write_scaffold(folder: Path) -> list[Path]:
    """Write the starter files into `folder` and return their paths.

    Raises ConfigError when one is there already: nothing is overwritten.
    """
    targets = [folder / name for name in FILES]
    there = [str(path) for path in targets if path.exists()]
    if there:
        raise ConfigError(f"{', '.join(there)}: there already; name another folder")
    source = importlib.resources.files("flows.commands") / "starter"
    for name, target in zip(FILES, targets, strict=True):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    return targets
