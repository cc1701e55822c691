"""What a stage read and wrote when it last finished, so that it need not be done again."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from pipeline.files.whole_files import write_text
from pipeline.workspace.manifests import Record

_CHUNK = 1 << 22  # bytes read at a time
ABSENT = "not there"


class FinishedStage(Record):
    """One stage as it ended.

    run_id: of the run that did it. inputs: a digest of each kind of thing that it read. outputs: a
    digest of each file or set of rows that it made.
    """

    run_id: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    def list_changed(self, inputs: Mapping[str, str]) -> list[str]:
        """Return the kinds of inputs that are not as they were, sorted."""
        names = self.inputs.keys() | inputs.keys()
        return sorted(name for name in names if self.inputs.get(name) != inputs.get(name))


def read_finished(workspace: Path, stage: str) -> FinishedStage | None:
    """Return how a stage last ended; None where it did not, or the note of it cannot be read."""
    try:
        return FinishedStage.model_validate_json(_locate(workspace, stage).read_bytes())
    except (OSError, ValidationError):
        return None


def write_finished(finished: FinishedStage, workspace: Path, stage: str) -> None:
    """Note how a stage ended: the last thing that is written of it."""
    write_text(finished.model_dump_json(indent=1), _locate(workspace, stage))


def forget_finished(workspace: Path, stage: str) -> None:
    """Remove the note of a stage: before it is done again, so that no half of it is believed."""
    _locate(workspace, stage).unlink(missing_ok=True)


def seal_files(paths: Iterable[Path]) -> dict[str, str]:
    """Return path -> CRC-32 and size of each file, "not there" of one that cannot be read."""
    return {str(path): _seal_file(path) for path in paths}


def _seal_file(path: Path) -> str:
    crc = size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    except OSError:
        return ABSENT
    return f"{crc:08x}-{size:x}"


def _locate(workspace: Path, stage: str) -> Path:
    return workspace / "finished" / f"{stage}.json"
