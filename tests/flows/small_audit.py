"""A dataset with one planted weakness: the system fails on dark images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.tiny_clip import write_tiny

CONFIG = """\
name = "small"
[dataset]
format = "folder"
images = "images"
[encoder]
model = "local-dir:tiny"
[attributes]
use = ["mine/tone.toml", "image/brightness", "image/contrast"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.csv"
error = "loss"
[slices]
max_level = 2
"""
TONE = """\
name = "tone"
kind = "prompts"
applies_to = "image"
min_margin = 0.0
templates = ["a photo of {}."]
[values]
dark = ["a dark scene", "a dim scene", "a gloomy scene", "a black scene"]
light = ["a light scene", "a bright scene", "a sunny scene", "a white scene"]
"""


@dataclass(frozen=True)
class SmallAudit:
    """Where the files of the audit lie."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "audit.toml"

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def weights(self) -> Path:
        return self.folder / "tiny" / "open_clip_model.safetensors"

    def edit(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))


def write_audit(folder: Path, *, count: int = 160) -> SmallAudit:
    """Write images of four brightnesses; the darkest quarter has error 1, a tenth of the rest."""
    audit = SmallAudit(folder)
    rng = np.random.default_rng(7)
    audit.images.mkdir(parents=True)
    rows = ["path,loss"]
    for number in range(count):
        quarter = number % 4
        pixels = rng.normal(40 + 55 * quarter, 12, (24, 32, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(audit.images / f"{number:04}.png")
        error = 1 if quarter == 0 or number % 40 == 1 else 0
        rows.append(f"{number:04}.png,{error}")
    (folder / "errors.csv").write_text("\n".join(rows) + "\n")
    (folder / "mine").mkdir()
    (folder / "mine" / "tone.toml").write_text(TONE)
    write_tiny(folder / "tiny")
    audit.config.write_text(CONFIG)
    return audit
