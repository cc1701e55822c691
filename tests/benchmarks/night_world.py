"""A large dataset of tiny images, embedded and measured as earlier nights would have done."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flows.run.loaded_models import identify_encoder, load_open_clip
from pipeline.arrays import Vectors
from pipeline.config.audit import read_audit
from pipeline.images.measure import MEASURE_VERSION, MEASURES
from pipeline.workspace.shards import write_shard, write_vectors
from pipeline.workspace.store import open_store
from tests.tiny_clip import write_tiny

DIM = 512  # of a vector, as that of ViT-B-32
IN_FOLDER = 1_000
SHARD = 2_048
SIDE = 8  # pixels
_HEADER = f"P6 {SIDE} {SIDE} 255\n".encode()
CONFIG = """\
name = "nights"
[dataset]
format = "folder"
images = "images"
columns = "columns.parquet"
[encoder]
model = "local-dir:tiny"
[attributes]
use = [{prompted}, "image/brightness", "image/contrast", "image/sharpness"]
given = ["site", "weather", "camera", "sex"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.parquet"
error = "loss"
[slices]
max_level = 2
[fairness]
attributes = ["sex"]
[gates]
max_gap = 0.5
"""
PROMPTED = ("tone", "place", "mood", "season", "style")
PROMPTS = """\
name = "{name}"
kind = "prompts"
applies_to = "image"
templates = ["a photo of {{}}."]
[values]
first = ["a {name} one", "a {name} two", "a {name} three", "a {name} four"]
second = ["the {name} five", "the {name} six", "the {name} seven", "the {name} eight"]
third = ["no {name} nine", "no {name} ten", "no {name} eleven", "no {name} twelve"]
"""


@dataclass(frozen=True)
class NightWorld:
    """Where the files of the audit lie."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "audit.toml"


def make_world(folder: Path, *, count: int) -> NightWorld:
    """Write `count` images with their tables, and put their vectors and measures in place."""
    world = NightWorld(folder)
    folder.mkdir(parents=True)
    write_tiny(folder / "tiny", dim=DIM)
    for name in PROMPTED:
        (folder / f"{name}.toml").write_text(PROMPTS.format(name=name))
    prompted = ", ".join(f'"{name}.toml"' for name in PROMPTED)
    world.config.write_text(CONFIG.format(prompted=prompted))
    paths, keys = write_images(folder / "images", range(count))
    write_tables(world, paths)
    audit = read_audit(world.config)
    assert audit.encoder is not None
    store = open_store(audit.workspace)
    encoder_id = identify_encoder(audit.encoder, store, load_open_clip).encoder_id
    rng = np.random.default_rng(1)
    for block in _cut(keys):
        values = rng.normal(size=(len(block), DIM)).astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        series = pl.Series("content_key", block)
        write_vectors(Vectors(series, values, encoder_id), store.embeddings)
        measures = [
            pl.DataFrame({"content_key": series}).with_columns(
                measure=pl.lit(name),
                measure_version=pl.lit(MEASURE_VERSION),
                value=pl.Series(rng.random(len(block))),
            )
            for name in MEASURES
        ]
        write_shard(pl.concat(measures), store.measurements)
    return world


def write_images(folder: Path, numbers: range) -> tuple[list[str], list[str]]:
    """Write one image a number; return paths relative to the folder and hashes of contents."""
    rng = np.random.default_rng(numbers.start)
    paths, keys = [], []
    for number in numbers:
        path = f"{number // IN_FOLDER:04}/{number:07}.ppm"
        if number % IN_FOLDER == 0 or number == numbers.start:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        data = _HEADER + rng.bytes(3 * SIDE * SIDE)
        (folder / path).write_bytes(data)
        paths.append(path)
        keys.append(hashlib.sha256(data).hexdigest()[:32])
    return paths, keys


def write_tables(world: NightWorld, paths: list[str]) -> None:
    """Write what is known of the images: four columns, and an error that one of them raises."""
    rng = np.random.default_rng(2)
    n = len(paths)
    columns = pl.DataFrame({"path": paths}).with_columns(
        site=pl.Series(rng.choice(["north", "south", "east"], n)),
        weather=pl.Series(rng.choice(["rain", "sun", "snow", "fog"], n)),
        camera=pl.Series(rng.choice(["old", "new"], n)),
        sex=pl.Series(rng.choice(["female", "male"], n)),
    )
    columns.write_parquet(world.folder / "columns.parquet")
    raised = 0.1 + 0.1 * (columns["weather"] == "fog").to_numpy()
    errors = pl.DataFrame({"path": paths, "loss": (rng.random(n) < raised).astype(float)})
    errors.write_parquet(world.folder / "errors.parquet")


def _cut(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), SHARD):
        yield keys[start : start + SHARD]
