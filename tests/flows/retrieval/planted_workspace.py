"""A workspace with planted vectors: 40 of 240 samples fit "a hat", and no model is needed."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from pipeline.arrays import Array, Vectors
from pipeline.embeddings.card import EncoderCard
from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.tables import ERRORS, LABELS, SAMPLES
from pipeline.workspace.manifests import (
    LabelledAttribute,
    LabelManifest,
    SamplesManifest,
    ScoredSystem,
    ScoreManifest,
)
from pipeline.workspace.shards import write_vectors
from pipeline.workspace.store import Store, open_store

COUNT, HITS, WIDTH = 240, 40, 16
SCALE = 30.0


def unit(values: Array) -> NDArray[np.float32]:
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    made: NDArray[np.float32] = (values / lengths).astype(np.float32)
    return made


def axis(number: int) -> NDArray[np.float32]:
    made: NDArray[np.float32] = np.eye(WIDTH, dtype=np.float32)[number]
    return made


def name_sample(number: int) -> str:
    return f"s{number:03}"


def write_workspace(folder: Path, *, encoder_id: str = "enc") -> Store:
    """Samples 0 to 39 lie near axis 0, the rest near axis 1; every third one is at night.

    The system fails on samples 0 to 19 and on every tenth of the others. Sample 39 is named as a
    formula, and has another kind of hat: it lies towards axis 5.
    """
    store = open_store(folder / "workspace")
    put_vectors(store, encoder_id)
    paths = ["=1+1.png" if n == 39 else f"{n:03}.png" for n in range(COUNT)]
    rows = [
        {
            "sample_id": name_sample(n),
            "content_key": f"k{n:03}",
            "path": paths[n],
            "width": 24,
            "height": 16,
        }
        for n in range(COUNT)
    ]
    store.put_samples(pl.DataFrame(rows, schema=dict(SAMPLES)))
    images = folder / "images"
    images.mkdir()
    for n in range(45):
        Image.new("RGB", (24, 16), (5 * n, 90, 200)).save(images / paths[n])
    SamplesManifest(counts={}, root=str(images)).write(store.folder)
    put_labels(store)
    put_errors(store)
    return store


def put_vectors(store: Store, encoder_id: str, *, count: int = COUNT) -> None:
    rng = np.random.default_rng(3)
    values = 0.12 * rng.normal(size=(count, WIDTH))
    values[:HITS, 0] += 2.0
    values[HITS:, 1] += 2.0
    if count > 39:
        values[39, 5] += 2.0
    keys = pl.Series("content_key", [f"k{n:03}" for n in range(count)])
    write_vectors(Vectors(keys, unit(values), encoder_id), store.embeddings)
    card = EncoderCard("local-dir:nowhere||auto", None, encoder_id, WIDTH, SCALE)
    path = store.embeddings / encoder_id / "encoder.json"
    path.write_text(card.to_json(), encoding="utf-8")
    neutral = 0.1 * rng.normal(size=(len(NEUTRAL_TEXTS), WIDTH))
    neutral[:, 9] += 1.0
    texts = [*NEUTRAL_TEXTS, "a hat", "a blank", "a hat of another kind"]
    own = [axis(0), unit(axis(9) + 0.05 * axis(1)), unit(axis(0) + axis(5))]
    known = Vectors(pl.Series(texts), np.concatenate([unit(neutral), np.stack(own)]), encoder_id)
    write_vectors(known, store.prompts)


def put_labels(store: Store) -> None:
    values = ["night" if n % 3 == 0 else "day" for n in range(COUNT)]
    frame = pl.DataFrame(
        {
            "sample_id": [name_sample(n) for n in range(COUNT)],
            "attribute": "time",
            "source": "given",
            "value": values,
            "label_id": "time-1",
        }
    )
    columns = [
        pl.col(name) if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in LABELS.items()
    ]
    store.put_labels(frame.select(columns))
    attribute = LabelledAttribute(
        name="time", label_id="time-1", source="given", values=("day", "night")
    )
    LabelManifest(attributes=(attribute,), truth={}, encoder_id="enc").write(store.folder)


def put_errors(store: Store) -> None:
    errors = [1.0 if n < 20 or n % 10 == 9 else 0.0 for n in range(COUNT)]
    frame = pl.DataFrame(
        {
            "sample_id": [name_sample(n) for n in range(COUNT)],
            "error_id": "e1",
            "system": "finder",
            "metric": "miss",
            "error": errors,
        },
        schema=dict(ERRORS),
    )
    store.put_errors(frame)
    ScoreManifest(systems={"finder": ScoredSystem(error_id="e1")}).write(store.folder)
