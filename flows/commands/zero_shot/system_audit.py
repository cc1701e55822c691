"""An audit.toml again, with outputs that were made now as one more system."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.exceptions import ConfigError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def check_system_name(
    audit: Path, name: str | None, *, results: str | None, run: bool, json_output: bool
) -> None:
    """Raise ConfigError for a name that will not do, before anything is computed or written.

    That is one of which no file can be made, one that a system of the audit has, and one by which
    files that are not of this system would be overwritten; likewise --run without a name. results:
    how the name of the outputs ends where they go beside the audit, else None.
    """
    if run and (name is None or json_output):
        raise ConfigError("--run audits what --as-system NAME writes, and prints no --json")
    if name is not None and not _UNSAFE.sub("", name).strip("-."):
        raise ConfigError(f"--as-system {name!r}: a name of letters and digits is needed")
    if name is not None and audit.suffix.lower() != ".toml":
        raise ConfigError(f"--as-system {name}: {audit} is no audit.toml that could be run with it")
    if name is None or not audit.is_file():
        return
    if name in _list_systems(audit):
        raise ConfigError(f"--as-system {name}: {audit} has a system of that name")
    target = name_beside(audit, name, ".toml")
    if target.exists():
        foreign = [] if name in _list_systems(target) else [target]
    else:
        made = [] if results is None else [name_beside(audit, name, results)]
        foreign = [file for file in made if file.exists()]
    if foreign:
        raise ConfigError(
            f"--as-system {name}: {foreign[0]} is there already and would be overwritten; choose "
            "another name"
        )


def name_beside(audit: Path, name: str, suffix: str) -> Path:
    """Return the file AUDIT-NAME.suffix beside an audit."""
    return audit.with_name(f"{audit.stem}-{_UNSAFE.sub('-', name).strip('-.')}{suffix}")


def write_audit_with(
    audit: Path, name: str, files: Sequence[Path], *, kind: str, error: str
) -> Path:
    """Write AUDIT-NAME.toml: the audit and a system of this name; return the file.

    files: of its outputs. kind: the system's format. `check_system_name` has passed the name.
    """
    from pipeline.files.whole_files import write_text

    paths = ", ".join(json.dumps(str(file.absolute()), ensure_ascii=False) for file in files)
    block = (
        f"[[systems]]\nname = {json.dumps(name, ensure_ascii=False)}\nformat = {json.dumps(kind)}\n"
        f"predictions = [{paths}]\nerror = {json.dumps(error)}\n"
    )
    target = name_beside(audit, name, ".toml")
    write_text(f"{audit.read_text(encoding='utf-8').rstrip()}\n\n{block}", target)
    return target


def _list_systems(audit: Path) -> list[str]:
    """Return the names of the systems of an audit, whatever else is wrong with it."""
    from pipeline.files.toml_file import read_toml

    listed = read_toml(audit).data.get("systems", [])
    listed = listed if isinstance(listed, list) else []
    return [str(one.get("name")) for one in listed if isinstance(one, dict)]


def run_whole(config: Path, *, no_prefect: bool) -> None:
    """Run an audit to its report and print what came of it."""
    from flows.commands.audits.run import RunOptions, run_stages
    from flows.run.stages import STAGES

    run_stages(config, STAGES, RunOptions(None, no_prefect, json_output=False))
