"""The demo's audit: the world on disk, and the audit.toml that asks about it."""

import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from pipeline.demo.scene_truth import CONDITION_SHARES, PERSON_SHARES
from pipeline.demo.world import World
from pipeline.exceptions import ConfigError

SYSTEM = "small detector"
BALANCED_SYSTEM = "balanced detector"  # the same, trained on a balanced sample

_ATTRIBUTES = "attributes"
_MARKER = ".weakspot-demo"  # says that the folder may be cleared
_SYSTEM = """
[[systems]]
name = "{name}"
format = "coco-detections"
predictions = "{predictions}"
error = "miss"
iou = 0.5
min_score = {min_score}
"""
_HEAD = """\
# The demo's audit. Edit it or the attribute files beside it, then: weakspot run {file}
name = "a small detector in a drawn world"
workspace = "workspace"

[dataset]
format = "coco"
annotations = "world/{annotations}"
images = "world/{images}"
sample = "object"
categories = ["person"]

[encoder]
model = "local-dir:{encoder}"
precision = "fp32"

[attributes]
use = [{attributes}]

[slices]
labels = "predicted"
alpha = 0.9                # with few, strong weaknesses: size counts a little more than usual
max_level = 2
min_support = 0.01
top = 10

[report]
folder = "report"

# What is true in the drawn world: it measures the labels, it does not make them.
[dataset.truth]
file = "world/{truth}"
key = "annotation_id"
"""


def find_encoder() -> Path:
    """Return the folder of the shipped encoder, an open_clip local-dir."""
    return Path(str(resources.files("pipeline.demo").joinpath("encoder")))


def copy_attributes(folder: Path) -> list[str]:
    """Copy the demo's attribute files to `folder`/attributes; return their names, sorted."""
    target = folder / _ATTRIBUTES
    target.mkdir(parents=True, exist_ok=True)
    names = []
    for entry in resources.files("pipeline.demo").joinpath(_ATTRIBUTES).iterdir():
        if entry.name.endswith(".toml"):
            (target / entry.name).write_bytes(entry.read_bytes())
            names.append(entry.name)
    return sorted(names)


def write_audit(
    folder: Path,
    world: World,
    *,
    systems: Mapping[str, str],
    min_score: float,
    encoder: Path | None = None,
) -> Path:
    """Write audit.toml for a world that lies in `folder`/world, and its attribute files beside it.

    systems: names, and for each the file of its detections in `folder`. encoder: an open_clip
    local-dir; the shipped one when None.
    """
    names = copy_attributes(folder)
    path = folder / "audit.toml"
    head = _HEAD.format(
        file=path.name,
        annotations=world.annotations.name,
        images=world.images.name,
        truth=world.attributes.name,
        encoder=(encoder or find_encoder()).as_posix(),
        attributes=", ".join(f'"{_ATTRIBUTES}/{name}"' for name in names),
    )
    audited = [
        _SYSTEM.format(name=name, predictions=file, min_score=min_score)
        for name, file in systems.items()
    ]
    path.write_text("".join([head, *_write_truth_tables(), *audited]), encoding="utf-8")
    return path


def clear_demo(folder: Path) -> None:
    """Make `folder` ready for a demo; remove what an earlier one left in it.

    Raises ConfigError when it holds anything else: nothing of the user's is removed.
    """
    marker = folder / _MARKER
    if folder.exists() and not marker.exists() and (folder.is_file() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: there already, and no earlier demo; name another folder")
    for name in ("world", "pool", "workspace", "report", _ATTRIBUTES):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text("made by weakspot demo run\n", encoding="utf-8")


def _write_truth_tables() -> list[str]:
    tables = []
    for attribute, shares in {**CONDITION_SHARES, **PERSON_SHARES}.items():
        values = "\n".join(f'{value} = ["{value}"]' for value in shares)
        tables.append(f'\n[dataset.truth.{attribute}]\ncolumn = "{attribute}"\n{values}\n')
    return tables
