"""Centering, PCA and whitening of vectors, fitted in one pass over blocks of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.exceptions import ConfigError
from pipeline.ranking.region_pooling import to_unit

_LEAST = 1e-12  # of the largest variance: directions below it hold rounding alone


@dataclass(frozen=True)
class Projection:
    """A linear map of vectors: the mean is taken away, the rest projected.

    mean: (c,). axes: (c, d), columns of unit length, or longer where they whiten.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (..., d) unit vectors of (..., c) vectors."""
        centered = (vectors - self.mean).astype(np.float32, copy=False)
        return to_unit(np.matmul(centered, self.axes, dtype=np.float32))


@dataclass(frozen=True)
class Moments:
    """The number of vectors, their sum (c,) and the sum of their outer products (c, c)."""

    count: int
    total: Floats
    outer: Floats

    @classmethod
    def gather(cls, blocks: Iterable[NDArray[np.float32]]) -> "Moments":
        """Add up blocks of vectors, (n, c) each, in float64. Raises ConfigError without any."""
        gathered: Moments | None = None
        for block in blocks:
            wide = block.astype(np.float64)
            part = cls(len(wide), wide.sum(axis=0), wide.T @ wide)
            gathered = part if gathered is None else gathered.add(part)
        if gathered is None:
            raise ConfigError("there are no vectors to fit a projection to")
        return gathered

    def add(self, other: "Moments") -> "Moments":
        """Return the moments of both together."""
        return Moments(self.count + other.count, self.total + other.total, self.outer + other.outer)

    @property
    def mean(self) -> Floats:
        """The mean vector, (c,)."""
        return self.total / self.count

    @property
    def covariance(self) -> Floats:
        """The covariance, (c, c), of population form."""
        return self.outer / self.count - np.outer(self.mean, self.mean)


def fit_projection(moments: Moments, *, dim: int | None, whiten: bool) -> Projection:
    """Fit what `Projection` does: PCA to `dim` axes, of equal variance with `whiten`.

    dim: None to take away the mean alone, which changes cosines as PCA to all axes does. Axes are
    the eigenvectors of the covariance with the largest variances; whitening divides each by its
    standard deviation. Raises ConfigError when the vectors vary along fewer than `dim` directions.
    """
    mean = moments.mean
    if dim is None:
        return Projection(mean.astype(np.float32), np.eye(len(mean), dtype=np.float32))
    variances, vectors = np.linalg.eigh(moments.covariance)
    variances, vectors = variances[::-1], vectors[:, ::-1]
    usable = int((variances > _LEAST * max(float(variances[0]), _LEAST)).sum())
    usable = min(usable, moments.count - 1)
    if dim > usable:
        raise ConfigError(
            f"--whiten: {dim} dimensions asked for, but the {moments.count:,} vectors that PCA is "
            f"fitted to vary along {usable} of their {len(mean):,}; ask for at most {usable}"
        )
    axes = vectors[:, :dim] * np.sign(vectors[np.abs(vectors[:, :dim]).argmax(axis=0), range(dim)])
    if whiten:
        axes = axes / np.sqrt(variances[:dim])
    return Projection(mean.astype(np.float32), axes.astype(np.float32))
