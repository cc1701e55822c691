"""Generated vectors of which some rows are weak, for the tests of regions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints, Mask

ROWS, WIDTH = 1200, 24


@dataclass(frozen=True)
class DrawnRows:
    """Rows with four marks, each of which moves the vector along a direction of its own.

    marks: (n, 4) of 0 and 1. images: (n,) from 0; one to three rows each.
    """

    vectors: NDArray[np.float32]
    images: Ints
    marks: NDArray[np.bool_]
    directions: Floats

    def select(self, *marks: int) -> Mask:
        """Return the rows that have all of some marks."""
        return np.asarray(self.marks[:, list(marks)].all(axis=1))


def draw_rows(seed: int = 0, *, rows: int = ROWS) -> DrawnRows:
    """Draw rows whose marks are independent."""
    rng = np.random.default_rng([seed, 77])
    marks = rng.random((rows, 4)) < np.array([0.3, 0.4, 0.3, 0.5])
    directions = np.linalg.qr(rng.normal(size=(WIDTH, 4)))[0].T
    vectors = rng.normal(size=(rows, WIDTH)) * 0.12 + 0.8 * marks @ directions + 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    images = np.repeat(np.arange(rows), rng.integers(1, 4, rows))[:rows]
    return DrawnRows(vectors.astype(np.float32), images, marks, directions)


def draw_errors(weak: Mask, seed: int = 0, *, inside: float = 0.6, outside: float = 0.1) -> Floats:
    """Draw 0/1 errors at one rate for weak rows and another for all others."""
    rng = np.random.default_rng([seed, 78])
    return (rng.random(len(weak)) < np.where(weak, inside, outside)).astype(np.float64)
