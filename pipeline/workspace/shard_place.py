"""Where the shards of a workspace are: in it, or in another folder, or on other storage."""

import json
import shutil
from pathlib import Path

from pipeline.exceptions import StoreError
from pipeline.files.remote_path import RemotePath, make_path
from pipeline.files.whole_files import write_bytes, write_text

SHARD_FOLDERS = (
    "embeddings", "prompts", "measurements", "broken", "detections", "texts", "windows",
)  # fmt: skip
NOTE = "shards.json"  # in the workspace, where its shards are elsewhere


def read_place(workspace: Path) -> Path | None:
    """Return where the shards of a workspace are, None where they are in it.

    Raises StoreError when the note that says so is damaged.
    """
    note = workspace / NOTE
    if not note.exists():
        return None
    try:
        return make_path(str(json.loads(note.read_text(encoding="utf-8"))["shards"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{note}: does not say where the shards are ({error!r}); write there "
            '{"shards": "s3://bucket/folder"}, or what `shards` in audit.toml says'
        ) from None


def move_shards(workspace: Path, place: Path | None) -> int:
    """Move the shards of a workspace to another place and note it; return how many files.

    place: None for the workspace itself. Nothing is removed before all is copied: after a kill it
    is done again. Raises StorageError when a storage cannot be used.
    """
    before = read_place(workspace)
    if before == place:
        return 0
    source, target = before or workspace, place or workspace
    moved = 0
    for name in SHARD_FOLDERS:
        for path in sorted((source / name).rglob("*")):
            if path.is_file():
                write_bytes(path.read_bytes(), target / path.relative_to(source).as_posix())
                moved += 1
    if place is None:
        (workspace / NOTE).unlink()
    else:
        write_text(json.dumps({"shards": str(place)}), workspace / NOTE)
    for name in SHARD_FOLDERS:
        remove_folder(source / name)
    return moved


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, or do nothing where there is none."""
    if isinstance(folder, RemotePath):
        for path in folder.rglob("*"):
            path.unlink(missing_ok=True)
    elif folder.is_dir():
        shutil.rmtree(folder)
