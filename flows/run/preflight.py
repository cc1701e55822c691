"""The paths that an audit names, looked at before an hour of work is lost on them."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config.audit import Audit
from pipeline.exceptions import ConfigError


def check_paths(audit: Audit, *, config: Path) -> None:
    """Raise ConfigError listing what is not there to read, and what cannot be written."""
    written = {"workspace": audit.workspace, "[report] folder": audit.report.folder}
    problems = [
        f"{key} {folder}: {problem}"
        for key, folder in written.items()
        for problem in _doubt(folder)
    ]
    problems += [f"{key} {path}: there is no such {kind}" for key, path, kind in _absent(audit)]
    if problems:
        raise ConfigError.from_problems(str(config), problems)


def _absent(audit: Audit) -> Iterator[tuple[str, Path, str]]:
    """Yield the key, the path and the kind of every input that is not there."""
    dataset = audit.dataset
    for folder in dataset.images:
        if not folder.is_dir():
            yield "dataset.images", folder, "folder"
    truth = () if dataset.truth is None else (dataset.truth.file,)
    detections = None if dataset.boxes is None else dataset.boxes.detections
    by_image = {"dataset.annotations": dataset.annotations} if dataset.format == "voc" else {}
    by_image |= {
        f"predictions of {system.name!r}": system.predictions
        for system in audit.systems
        if system.format == "yolo-detections"
    }
    for key, folders in by_image.items():  # one file an image
        for folder in folders:
            if not folder.is_dir():
                yield key, folder, "folder"
    files = {
        "dataset.annotations": dataset.annotations,
        "dataset.boxes.detections": () if detections is None else (detections,),
        "dataset.table": () if dataset.table is None else (dataset.table,),
        "dataset.truth.file": truth,
        **{f"predictions of {s.name!r}": s.predictions for s in audit.systems},
    }
    for key, paths in files.items():
        for path in () if key in by_image else paths:
            if not path.is_file():
                yield key, path, "file"


def _doubt(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the nearest part of the path that is there already."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        yield f"{there} is no folder; move it away or name another folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"{there} cannot be written; change its permissions or name another folder"
