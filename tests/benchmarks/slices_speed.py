"""Timed pieces of the slice search, each in a process of its own that measures time and memory.

The best of several times is kept: what else the machine does only ever adds to them.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROWS, ATTRIBUTES, VALUES = 1_000_000, 12, 5
Codes = NDArray[np.uint8]
_WEAK = {"binary": 0.16, "gamma": 0.053}  # more errors inside, about 4.5 standard deviations


def make_rows(n: int, *, kind: str = "binary", seed: int = 0) -> tuple[Codes, NDArray[np.float64]]:
    """Draw (12, n) codes of five values and n errors, 0/1 at one in ten or gamma."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, VALUES, (ATTRIBUTES, n), dtype=np.uint8)
    if kind == "binary":
        return codes, (rng.random(n, dtype=np.float32) < 0.1).astype(np.float64)
    return codes, rng.gamma(1.0, 1.0, n)


def to_frame(codes: Codes) -> pl.DataFrame:
    """Return the codes as a frame of uint8 columns."""
    return pl.DataFrame({f"a{j:02d}": column for j, column in enumerate(codes)})


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def watch_memory(call: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of a call, and GB at its peak above what the process held before."""
    before, peak, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    call()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return seconds, (max(peak[0], before) - before) / 1e9


def time_search(n: int, *, level: int, kind: str, support: float, repeats: int) -> dict[str, float]:
    """Time `search_slices` on a frame of uint8 codes; memory is that of the first warm call."""
    from pipeline.slices import search_slices

    codes, errors = make_rows(n, kind=kind)
    table = to_frame(codes)
    del codes
    search_slices(table.head(1000), errors[:1000], max_level=level)  # compiled or loaded here

    def call() -> object:
        return search_slices(table, errors, max_level=level, min_support=support)

    first, memory = watch_memory(call)
    times = [first]
    for _ in range(repeats - 1):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return {"seconds": min(times), "memory": memory}


def time_numpy_cube(n: int, *, level: int) -> dict[str, float]:
    """Time plain `np.bincount`, rows and error sums, over every attribute set up to a level."""
    codes, errors = make_rows(n)
    columns = codes.astype(np.int64)

    def call() -> None:
        for size in range(1, level + 1):
            for attributes in combinations(range(ATTRIBUTES), size):
                key = columns[attributes[0]]
                for attribute in attributes[1:]:
                    key = key * VALUES + columns[attribute]
                np.bincount(key, minlength=VALUES**size)
                np.bincount(key, weights=errors, minlength=VALUES**size)

    runs = [watch_memory(call) for _ in range(3)]
    return {"seconds": min(run[0] for run in runs), "memory": max(run[1] for run in runs)}


def time_sliceline(n: int, *, level: int) -> dict[str, float]:
    """Time the package as it comes on the same rows."""
    from sliceline import Slicefinder

    codes, errors = make_rows(n)
    rows = np.ascontiguousarray(codes.T)
    finder = Slicefinder(alpha=0.95, k=15, max_l=level, min_sup=n // 100, verbose=False)
    finder.fit(rows[:2000], errors[:2000])  # compiled here
    seconds, memory = watch_memory(lambda: finder.fit(rows, errors))
    return {"seconds": seconds, "memory": memory}


def time_encoding(n: int) -> dict[str, float]:
    """Time turning text columns into codes."""
    from pipeline.slices.counting.encode import encode_table

    codes, _ = make_rows(n)
    names = pl.Series([f"value {v}" for v in range(VALUES)])
    table = pl.DataFrame({f"a{j}": names.gather(column) for j, column in enumerate(codes)})
    seconds, memory = watch_memory(lambda: encode_table(table))
    return {"seconds": seconds, "memory": memory}


def time_statistics(n: int, *, kind: str, support: float) -> dict[str, float]:
    """Time counting a family, and scores, p, q and intervals over it."""
    from pipeline.slices.counting.cube import count_cube
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.counting.fixed_point import prepare_losses
    from pipeline.slices.evidence.difference_interval import interval_slices
    from pipeline.slices.family import build_family
    from pipeline.slices.options import SearchOptions
    from pipeline.slices.search import prepare_search

    codes, errors = make_rows(n, kind=kind)
    search = prepare_search(
        encode_table(to_frame(codes)),
        prepare_losses(errors, None, rows=n),
        SearchOptions(min_support=support),
    )
    counting, testing, size = [], [], 0
    for _ in range(5):
        started = time.perf_counter()
        counts = count_cube(search.cells, search.kernels, max_level=3, min_weight=search.min_weight)
        counted = time.perf_counter()
        family = build_family(search.cells, counts, alpha=0.95, direction="worse")
        interval_slices(family.total, family.sums, search.cells.losses)
        counting.append(counted - started)
        testing.append(time.perf_counter() - counted)
        size = len(family)
    return {
        "search": min(counting),
        "statistics": min(testing),
        "slices": size,
    }


def time_max_t(n: int, *, permutations: int, support: float, kind: str) -> dict[str, float]:
    """Time all permutations of a family, and the family-wise p of its 15 best slices."""
    from pipeline.slices.audit_rows import AuditRows, sort_rows
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.counting.fixed_point import prepare_losses
    from pipeline.slices.evidence.assessment import open_assessor
    from pipeline.slices.evidence.discovery import open_discovery
    from pipeline.slices.options import SearchOptions

    codes, errors = make_rows(n, kind=kind)
    rows = AuditRows(encode_table(to_frame(codes)), prepare_losses(errors, None, rows=n), None)
    discovery = open_discovery(sort_rows(rows), SearchOptions(min_support=support))
    family = discovery.count().family
    made = []

    def ask() -> None:
        assessor = open_assessor(discovery, family, permutations=permutations, seed=0)
        assessor.compute_family_wise(assessor.assess(), np.arange(15))

    def draw_all() -> None:
        assessor = open_assessor(discovery, family, permutations=permutations, seed=0)
        maxima = assessor.assess().maxima
        assert maxima is not None
        maxima.compute_p(np.array([np.inf]), np.ones(1))  # never reached: no early stop
        made.append(maxima.made)

    asked, _ = watch_memory(ask)
    seconds, memory = watch_memory(draw_all)
    return {
        "seconds": seconds, "asked": asked, "memory": memory,
        "slices": len(family), "permutations": made[0],
    }  # fmt: skip


def time_choice(n: int, *, support: float, kind: str, seed: int = 0) -> dict[str, float]:
    """Time the choice of distinct slices among four that were planted, one of them near the limit.

    seconds, cpu: what the choice adds to assessing the family and to the family-wise p of the
    findings; cpu is processor time of all threads. all_seconds: with these.
    """
    from pipeline.slices.audit_rows import AuditRows, sort_rows
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.counting.fixed_point import prepare_losses
    from pipeline.slices.evidence.assessment import open_assessor
    from pipeline.slices.evidence.discovery import open_discovery
    from pipeline.slices.evidence.distinct import find_distinct
    from pipeline.slices.options import SearchOptions

    codes, errors = make_rows(n, kind=kind, seed=seed)
    rng = np.random.default_rng([seed, 1])
    for attributes, more in (
        ((0,), 0.5),
        ((1, 2), 0.5),
        ((3, 4, 5), 0.5),
        ((6, 7, 8), _WEAK[kind]),
    ):
        inside = (codes[list(attributes)] == 1).all(axis=0)
        if kind == "binary":
            errors[inside & (rng.random(n) < 0.1 * more)] = 1.0
        else:
            errors[inside] *= 1 + more
    rows = AuditRows(encode_table(to_frame(codes)), prepare_losses(errors, None, rows=n), None)
    discovery = open_discovery(sort_rows(rows), SearchOptions(min_support=support))
    family = discovery.count().family

    def measure(positions: NDArray[np.int64] | None) -> tuple[float, float, NDArray[np.int64]]:
        assessor = open_assessor(discovery, family, permutations=1000, seed=seed)
        started, used = time.perf_counter(), time.process_time()
        full = assessor.assess()
        if positions is None:
            found = find_distinct(assessor, full, top=None)
            positions = np.array([one.position for one in found], np.int64)
        assessor.compute_family_wise(full, positions)
        return time.perf_counter() - started, time.process_time() - used, positions

    _, _, positions = measure(None)  # compiles, or loads what was compiled
    runs = [(measure(None), measure(positions)) for _ in range(3)]
    seconds = min(whole[0] for whole, _ in runs)
    return {
        "seconds": seconds - min(alone[0] for _, alone in runs),
        "cpu": min(whole[1] for whole, _ in runs) - min(alone[1] for _, alone in runs),
        "all_seconds": seconds, "slices": len(family), "found": len(positions),
    }  # fmt: skip


def run_apart(name: str, **arguments: Any) -> dict[str, float]:
    """Run a function of this module in a new process and return what it measured."""
    request = json.dumps([name, arguments])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.slices_speed", request],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name}: exit {done.returncode}\n{done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    name, options = json.loads(sys.argv[1])
    print(json.dumps(globals()[name](**options)))
