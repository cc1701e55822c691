"""How many hits are announced on CelebA, beside how many have the attribute."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.retrieval.hit_count import HitCount
from tests.benchmarks.face_vectors import FACES, WEIGHTS, Faces

# Eight attributes, and one phrase of each as somebody would type it.
QUERIES = {
    "Wearing_Hat": "a person wearing a hat",
    "Eyeglasses": "a person wearing eyeglasses",
    "Male": "a photo of a man",
    "Smiling": "a smiling person",
    "Blond_Hair": "a person with blond hair",
    "Bald": "a bald person",
    "Young": "a young person",
    "Goatee": "a man with a goatee",
}


def compare_counts(
    by_ratio: Callable[..., HitCount | None], by_normals: Callable[..., HitCount | None]
) -> pl.DataFrame | None:
    """Return a row a query: true and announced numbers, and precision of those announced.

    by_normals: the rival estimate, two normal distributions. None without the data.
    """
    if not (FACES.is_dir() and WEIGHTS.is_dir()):
        return None
    with tempfile.TemporaryDirectory() as folder:
        faces = Faces(Path(folder))
    rows = []
    for attribute, text in QUERIES.items():
        vector = faces.encoder.encode_texts([text])[0]
        scores = faces.vectors.values @ vector
        true = (faces.table[attribute] == 1).to_numpy()
        found = by_ratio(scores, logit_scale=faces.encoder.logit_scale)
        normals = by_normals(scores)
        assert found is not None
        best = np.argsort(-scores, kind="stable")[: found.rounded]
        rows.append(
            {
                "attribute": attribute,
                "text": text,
                "true": int(true.sum()),
                "announced": found.rounded,
                "ratio": found.rounded / int(true.sum()),
                "precision": float(true[best].mean()),
                "two_normals": None if normals is None else normals.rounded,
            }
        )
    return pl.DataFrame(rows)
