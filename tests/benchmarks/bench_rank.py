"""Near duplicates among many vectors: exact, against a product of all pairs in the same run.

`python -m tests.benchmarks.bench_rank [--rows 100000]`. Vectors of 512 numbers about a common mean
with variances that fall as 1 / rank, as those of image-text models do, and with equal variances,
the worst case. One in a hundred has a near copy. Seconds are those of all threads together.
"""

import argparse
import time
import tracemalloc

import numpy as np
from numpy.typing import NDArray

from pipeline.ranking.near_duplicates import link_near
from pipeline.ranking.pair_search import choose_short_form, find_pairs

WIDTH = 512
LEAST = 0.98
BLOCK = 4096


def draw(rows: int, *, falling: bool, seed: int = 0) -> NDArray[np.float16]:
    """Draw vectors, one in a hundred of them a near copy of another."""
    rng = np.random.default_rng(seed)
    scale = (1 / np.sqrt(np.arange(1, WIDTH + 1)) if falling else np.full(WIDTH, 0.11)).astype("f4")
    mean = rng.normal(size=WIDTH).astype("f4") * 0.06
    out = np.empty((rows, WIDTH), np.float16)
    for start in range(0, rows, 65_536):
        part = rng.normal(size=(min(65_536, rows - start), WIDTH)).astype("f4") * scale + mean
        out[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    copies = rng.choice(rows, (2, rows // 100), replace=False)
    noise = rng.normal(size=(rows // 100, WIDTH)).astype("f4") * (0.1 / WIDTH**0.5)
    near = out[copies[0]].astype("f4") + noise
    out[copies[1]] = near / np.linalg.norm(near, axis=1, keepdims=True)
    return out


def multiply_all(vectors: NDArray[np.float16], *, blocks: int) -> tuple[float, int]:
    """Return the CPU seconds of all products, by the first blocks, and pairs in these."""
    wide = vectors[: BLOCK * blocks].astype("f4")
    start = time.process_time()
    pairs = products = 0
    for one in range(0, len(wide), BLOCK):
        for other in range(one, len(wide), BLOCK):
            hits = wide[one : one + BLOCK] @ wide[other : other + BLOCK].T >= LEAST
            pairs += int(hits.sum()) if one != other else int(np.triu(hits, 1).sum())
            products += 1
    count = -(-len(vectors) // BLOCK)
    return (time.process_time() - start) / products * count * (count + 1) / 2, pairs


def run(rows: int, *, falling: bool) -> None:
    """Print what one set of vectors takes."""
    vectors = draw(rows, falling=falling)
    form = choose_short_form(vectors, least=LEAST)
    length = WIDTH if form.basis is None else form.basis.shape[1] + 1
    tracemalloc.start()
    start = time.process_time()
    codes = link_near(vectors, least=LEAST)
    seconds = time.process_time() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    blocks = min(3, -(-rows // BLOCK))
    all_seconds, pairs = multiply_all(vectors, blocks=blocks)
    first = vectors[: BLOCK * blocks]
    found = sum(len(one) for one, _ in find_pairs(first, least=LEAST))
    groups = np.bincount(codes, minlength=rows)
    print(
        f"{rows:,} x {WIDTH}, {'falling' if falling else 'equal'} variances: short forms of "
        f"{length}, {seconds:.1f} CPU seconds, {peak / 1e6:,.0f} MB beside "
        f"{vectors.nbytes / 1e6:,.0f} of vectors; all products {all_seconds:.1f} s: "
        f"{all_seconds / seconds:.1f} times as long; "
        f"{(groups > 1).sum():,} groups; pairs in {len(first):,} rows {found:,} and {pairs:,}",
        flush=True,
    )
    if abs(found - pairs) > 0.01 * pairs:  # in float32 a few lie on the other side
        raise SystemExit("pairs are missing")


def main() -> None:
    """Run both kinds of vectors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    for falling in (True, False):
        run(rows, falling=falling)


if __name__ == "__main__":
    main()
