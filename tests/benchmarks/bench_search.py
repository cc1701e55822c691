"""Search: the scan beside a bare read, usearch and float64; hits announced beside true values.

`python -m tests.benchmarks.bench_search [ROWS]`. usearch is a peer where it can be imported. The
rows of int8 are scaled down to what a quarter of the free memory holds.
"""

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.retrieval.hit_count import count_image_hits, count_text_hits
from pipeline.retrieval.int8_codes import find_nearest_by_codes, make_codes
from pipeline.retrieval.nearest import find_nearest, run_in_threads
from tests.benchmarks.search_faces import compare_counts

ROWS, WIDTH, TOP = 1_000_000, 512, 50
CODED_WIDTH = 256
QUERIES = 100  # half of them words, half pictures
REPEATS = 9
_BLOCK = 1 << 16


@numba.njit(nogil=True, fastmath=True)
def read_block(words: Any, out: Any) -> None:
    """Add up (n, w) numbers of 64 bits."""
    total = np.uint64(0)
    for row in range(words.shape[0]):
        for j in range(words.shape[1]):
            total += words[row, j]
    out[0] = total


def draw(rows: int, width: int, *, seed: int) -> NDArray[np.float16]:
    """Return unit vectors around 300 centers."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(300, width)).astype(np.float32)
    out = np.empty((rows, width), np.float16)
    for start in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - start)
        block = rng.standard_normal((count, width), dtype=np.float32)
        block += 0.7 * centers[rng.integers(0, 300, count)]
        out[start : start + count] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return out


def draw_queries(vectors: NDArray[np.float16], *, seed: int) -> NDArray[np.float32]:
    """Return (QUERIES, d): the first half like words, nearly orthogonal to all; then pictures."""
    rng = np.random.default_rng(seed)
    half = QUERIES // 2
    words = rng.normal(size=(half, vectors.shape[1]))
    rows = rng.integers(0, len(vectors), QUERIES - half)
    pictures = vectors[rows].astype(np.float64)
    pictures += rng.normal(size=pictures.shape) / vectors.shape[1]
    queries = np.concatenate([words, pictures])
    unit: NDArray[np.float32] = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(
        np.float32
    )
    return unit


def measure(*works: Callable[[], object]) -> list[float]:
    """Return the least CPU seconds of each work; they take turns, as others use the machine too."""
    best = [np.inf] * len(works)
    for _ in range(REPEATS):
        for place, work in enumerate(works):
            start = time.process_time()
            work()
            best[place] = min(best[place], time.process_time() - start)
    return best


def rank_by_float64(
    vectors: NDArray[np.float16], queries: NDArray[np.float32]
) -> list[NDArray[np.int64]]:
    """Return the best rows of each query by float64 sums, ties by row."""
    kept: list[list[tuple[float, int]]] = [[] for _ in queries]
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        scores = block @ queries.astype(np.float64).T
        for number in range(len(queries)):
            column = scores[:, number]
            best = np.argpartition(-column, min(2 * TOP, len(column) - 1))[: 2 * TOP]
            exact = (block[best] * queries[number].astype(np.float64)).sum(axis=1)
            kept[number] += [(-s, start + int(r)) for s, r in zip(exact, best, strict=True)]
            kept[number] = sorted(kept[number])[: 2 * TOP]
    return [np.array([row for _, row in own[:TOP]]) for own in kept]


def bench_scan(rows: int) -> None:
    """Compare the scan with a bare read of the same array, with usearch, and inside a slice."""
    vectors = draw(rows, WIDTH, seed=1)
    query = draw_queries(vectors, seed=2)[0]
    words = vectors.view(np.uint64)
    sums = np.zeros(1, np.uint64)
    inside = np.sort(np.random.default_rng(3).choice(rows, rows * 3 // 100, replace=False))
    works: list[Callable[[], object]] = [
        lambda: run_in_threads(lambda part: read_block(words[part], sums), rows),
        lambda: find_nearest(vectors, query, TOP),
        lambda: find_nearest(vectors, query, TOP, inside),
    ]
    search = find_usearch()
    if search is not None:
        works.append(lambda: search(vectors, query.astype(np.float16), TOP))
    read, scan, sliced, *peer = measure(*works)
    size = vectors.nbytes / 1e9
    print(f"search: {rows:,} x {WIDTH} float16, top {TOP}, CPU time, best of {REPEATS}")
    print(f"  bare read {1e3 * read:.1f} ms ({size / read:.0f} GB/s), scan {1e3 * scan:.1f} ms")
    print(f"  scan at {read / scan:.2f} of a bare read (wanted: .8)")
    print(f"  inside 3 %: {1e3 * sliced:.1f} ms, 1/{scan / sliced:.0f} of the scan (wanted: 1/8)")
    if peer:
        print(f"  usearch exact {1e3 * peer[0]:.1f} ms: {peer[0] / scan:.1f} x (wanted: 2)")
    else:
        print("  usearch is not installed; no peer")


def find_usearch() -> Callable[..., object] | None:
    """Return usearch's exact search over inner products, None where it is not installed."""
    try:
        index = importlib.import_module("usearch.index")
    except ImportError:
        return None

    def search(vectors: Any, query: Any, top: int) -> object:
        return index.search(vectors, query, top, metric=index.MetricKind.IP, exact=True)

    return search


def bench_codes(wanted: int) -> None:
    """Compare ids by int8 with those of float64 on words and pictures."""
    room = read_free_memory() // 4 // (3 * CODED_WIDTH)
    rows = min(wanted, room)
    vectors = draw(rows, CODED_WIDTH, seed=4)
    queries = draw_queries(vectors, seed=5)
    codes = make_codes(vectors)
    truth = rank_by_float64(vectors, queries)
    equal, read, seconds = 0, [], []
    for query, best in zip(queries, truth, strict=True):
        start = time.process_time()
        found, count = find_nearest_by_codes(codes, vectors, query, TOP)
        seconds.append(time.process_time() - start)
        read.append(count)
        equal += found.places.tolist() == best.tolist()
    scaled = "" if rows == wanted else f" (asked: {wanted:,}, memory for these)"
    print(f"  int8, {rows:,} x {CODED_WIDTH}{scaled}: {equal} of {len(queries)} queries with the "
          f"ids of float64, {np.median(read):.0f} rows read in float16 (median), "
          f"{1e3 * np.median(seconds):.0f} ms of CPU a query")  # fmt: skip


def read_free_memory() -> int:
    """Return the bytes that /proc/meminfo calls available; 2 GB where there is none."""
    try:
        lines = open("/proc/meminfo", encoding="utf-8").read().splitlines()  # noqa: PTH123, SIM115 - one line
    except OSError:
        return 2 << 30
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def print_counts(table: pl.DataFrame) -> None:
    """Print announced and true numbers of each attribute."""
    for row in table.iter_rows(named=True):
        rival = "none" if row["two_normals"] is None else row["two_normals"]
        print(f"  {row['attribute']:<14} {row['text']:<34} true {row['true']:>5}  announced "
              f"{row['announced']:>5}  ratio {row['ratio']:.2f}  two normals "
              f"{rival:>5}  precision {row['precision']:.2f}")  # fmt: skip
    within = table.filter(pl.col("ratio").is_between(1 / 1.5, 1.5)).height
    print(f"  within a factor 1.5: {within} of {table.height} (wanted: 6 of 8)")


def main() -> None:
    """Print every comparison."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    bench_scan(rows)
    bench_codes(10 * rows)
    table = compare_counts(count_text_hits, count_image_hits)
    if table is None:
        print("  no celeba and face-lite in ../shared/data: no announced hits")
    else:
        print_counts(table)


if __name__ == "__main__":
    main()
