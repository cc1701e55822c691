"""A map of a million vectors: seconds, memory, and how true it is beside a full fit.

`python -m tests.benchmarks.bench_maps [N]`: N vectors of 512 numbers around 300 centers, 1,000,000
without N. Trustworthiness is of 20,000 of them, against openTSNE's own fit of those alone. DBSCAN
on a tenth of them, by scikit-learn as the peer where its lists of neighbors fit.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.clusters.dbscan import Density, cluster_densely
from pipeline.files.core_count import count_cores
from pipeline.maps.nearest_points import find_nearest
from pipeline.maps.positions import MapSettings, make_positions
from pipeline.maps.reduction import fit_basis, reduce_vectors
from pipeline.maps.spread import spread_points

WIDTH, CENTERS, JUDGED, NEIGHBORS = 512, 300, 20_000, 15


def write_vectors(path: Path, n: int) -> NDArray[np.float16]:
    """Write n unit vectors around 300 centers of unlike sizes as a mapped file, and return it."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(CENTERS, WIDTH)).astype(np.float32) / WIDTH**0.5
    sizes = rng.dirichlet(np.full(CENTERS, 2.0))
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(n, WIDTH))
    for start in range(0, n, 16_384):
        count = min(16_384, n - start)
        own = rng.choice(CENTERS, count, p=sizes)
        noise = rng.normal(size=(count, 24)).astype(np.float32)  # each center has its own plane
        axes = centers[(own[:, None] + np.arange(1, 25)) % CENTERS]
        block = centers[own] + 0.25 * np.einsum("ij,ijk->ik", noise, axes)
        block += 0.02 * rng.normal(size=block.shape).astype(np.float32)
        vectors[start : start + count] = block / np.linalg.norm(block, axis=1, keepdims=True)
    vectors.flush()
    return vectors


def measure_trustworthiness(vectors: NDArray[np.float32], points: Floats, k: int) -> float:
    """Return how far neighbors on a map are neighbors in space (Venna and Kaski, 2001), in blocks.

    1 at best; about .5 by chance. As scikit-learn's, without its n x n arrays.
    """
    n, total = len(vectors), 0.0
    flat = points.astype(np.float32)
    norms = np.einsum("ij,ij->i", vectors, vectors)
    for block in find_nearest(flat, flat, count=k + 1):
        rows = np.arange(block.rows.start, block.rows.stop)
        gaps = norms - 2 * vectors[rows] @ vectors.T
        gaps[np.arange(len(rows)), rows] = -np.inf
        own = np.take_along_axis(gaps, block.ids, axis=1)
        ordered = np.sort(gaps, axis=1)
        for row, some in enumerate(own):
            ranks = np.searchsorted(ordered[row], some)  # of itself 0
            total += float(np.maximum(ranks - k, 0).sum())
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * total


def make_map(vectors: NDArray[np.float16], keys: pl.Series) -> pl.DataFrame:
    """Make the map as the command does, on all cores."""
    strata: Ints = np.zeros(len(keys), dtype=np.int64)
    return make_positions(keys, vectors, strata, settings=MapSettings(), jobs=count_cores())[0]


def main() -> None:
    """Print seconds, memory and trustworthiness."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    keys = pl.Series("content_key", [f"{number:032x}" for number in range(n)])
    with tempfile.TemporaryDirectory() as folder:
        vectors = write_vectors(Path(folder) / "vectors.npy", n)
        print(f"{n:,} vectors of {WIDTH}", flush=True)
        start, spent = time.perf_counter(), time.process_time()
        positions = make_map(vectors, keys)
        seconds, spent = time.perf_counter() - start, time.process_time() - spent
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"map: {seconds:.0f} s ({spent:.0f} s of processor), {peak:.2f} GB", flush=True)
        chosen = np.sort(np.random.default_rng(1).permutation(n)[:JUDGED])
        some = vectors[chosen].astype(np.float32)
        points = positions.select("x", "y").to_numpy()[chosen]
        ours = measure_trustworthiness(some, points, NEIGHBORS)
        start = time.perf_counter()
        full = spread_points(
            reduce_vectors(some, fit_basis(some)), method="tsne", seed=0, jobs=count_cores()
        )
        seconds = time.perf_counter() - start
        theirs = measure_trustworthiness(some, full, NEIGHBORS)
        print(
            f"trustworthiness of {len(chosen):,}: {ours:.3f}, of a full fit of those {theirs:.3f} "
            f"({seconds:.0f} s): ratio {ours / theirs:.3f}",
            flush=True,
        )
        measure_dbscan(vectors[: n // 10].astype(np.float32))


def measure_dbscan(vectors: NDArray[np.float32]) -> None:
    """Print seconds and added memory of DBSCAN."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    labels = cluster_densely(vectors, settings=[Density(0.6, 10)])[0]
    seconds = time.perf_counter() - start
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6
    print(
        f"dbscan of {len(vectors):,}: {labels.max() + 1} clusters, {(labels >= 0).mean():.1%} in "
        f"one, {seconds:.0f} s, {added:.2f} GB above the peak before",
        flush=True,
    )


if __name__ == "__main__":
    main()
