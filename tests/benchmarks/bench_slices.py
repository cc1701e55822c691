"""The slice search: speed against the library and NumPy, and what its findings are worth.

`python -m tests.benchmarks.bench_slices [speed] [null] [planted]`; all three without an argument.
Each ratio compares two measurements of one run.
"""

import sys
from typing import Any

from tests.benchmarks.slices_evidence import PlantedResult, measure_null, measure_planted
from tests.benchmarks.slices_speed import ATTRIBUTES, ROWS, VALUES, run_apart


def print_row(what: str, measured: str, goal: str = "") -> None:
    """Print one line: what, its measurement, and its goal."""
    print(f"  {what:58} {measured:34} {goal}", flush=True)


def bench_speed() -> None:
    """Time the search, the library and NumPy on the same rows."""
    print(f"slices: speed, {ROWS:,} x {ATTRIBUTES}, {VALUES} values each, uint8 codes, 0/1 errors")
    options: dict[str, Any] = {"kind": "binary", "support": 0.01}
    fine = run_apart("time_search", n=ROWS, level=3, repeats=5, kind="binary", support=0.001)
    real = run_apart("time_search", n=ROWS, level=3, repeats=5, kind="gamma", support=0.01)
    text = run_apart("time_encoding", n=ROWS)
    library = run_apart("time_sliceline", n=ROWS, level=2)
    pairs, triples, cubes, larges = [], [], [], []
    for _ in range(3):  # in turns, so that none has the machine's quiet moments to itself
        pairs.append(run_apart("time_search", n=ROWS, level=2, repeats=9, **options))
        triples.append(run_apart("time_search", n=ROWS, level=3, repeats=9, **options))
        cubes.append(run_apart("time_numpy_cube", n=ROWS, level=3))
        larges.append(run_apart("time_search", n=10 * ROWS, level=3, repeats=4, **options))
    pair, triple, cube, large = (
        min(runs, key=_seconds) for runs in (pairs, triples, cubes, larges)
    )
    print_row("level 2, search_slices from frame to frame", format_run(pair), "memory < 0.5 GB")
    print_row("level 2, sliceline 0.3.0", format_run(library))
    print_row("  ratio", f"{library['seconds'] / pair['seconds']:.0f} x", ">= 500 x")
    print_row("level 3, search_slices", format_run(triple))
    print_row("level 3, np.bincount over the same sets", format_run(cube))
    print_row("  ratio", f"{cube['seconds'] / triple['seconds']:.0f} x", ">= 15 x")
    print_row("level 3, every slice of 0.1 % or more in the family", format_run(fine))
    print_row("level 3, real-valued errors", format_run(real))
    print_row("turning 12 text columns into codes", format_run(text))
    print_row("level 3, 10,000,000 rows", format_run(large), "memory < 2 GB")
    ratio = large["seconds"] / triple["seconds"]
    print_row("  ratio to 1,000,000 rows", f"{ratio:.1f} x", "about 10 x")
    for kind in ("binary", "gamma"):
        timed = run_apart("time_statistics", n=ROWS, kind=kind, support=0.001)
        share = timed["statistics"] / timed["search"]
        words = f"{timed['statistics'] * 1e3:.0f} ms of {timed['slices']:,.0f} slices"
        print_row(f"scores, Welch, q and intervals, {kind} errors", words)
        print_row("  ratio to counting them", f"{share:.2f} x", "<= 1 x")
    for kind in ("binary", "gamma"):
        chance = run_apart("time_max_t", n=ROWS, permutations=1000, support=0.001, kind=kind)
        words = f"{chance['permutations']:.0f} permutations, {chance['slices']:,.0f} slices"
        print_row(f"max-T, {words}, {kind}", format_run(chance), "< 3 s (binary), < 10 s (gamma)")
        print_row("  p of the 15 best slices, which may stop early", f"{chance['asked']:.2f} s")
        for seed in range(3):
            chosen = run_apart("time_choice", n=ROWS, support=0.001, kind=kind, seed=seed)
            words = f"{chosen['seconds']:.1f} s ({chosen['cpu']:.1f} s of processor time)"
            print_row(f"choosing slices, {chosen['found']:.0f} found, {kind}", words, "<= 2 s")


def _seconds(run: dict[str, float]) -> float:
    return run["seconds"]


def format_run(run: dict[str, float]) -> str:
    """Return time and memory in words."""
    seconds = run["seconds"]
    time_ = f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
    return f"{time_:>10}, {run['memory']:.2f} GB above"


def bench_null(tables: int = 200) -> None:
    """Count findings where there is nothing to find."""
    print(f"slices: findings on {tables} tables without weak slices")
    for kind in ("binary", "gamma"):
        for n in (2_000, 20_000):
            for confirm in (0.0, 0.5):
                result = measure_null(kind=kind, n=n, confirm=confirm, tables=tables)
                print_row(
                    f"{kind} errors, n = {n:,}, confirm = {confirm}",
                    f"any {result.any}, confirmed {result.confirmed}", "any <= 28, confirmed <= 17",
                )  # fmt: skip


def bench_planted(tables: int = 240) -> None:
    """Compare findings with five planted slices a table."""
    print(f"slices: five planted slices, each of 25 points more error, in each of {tables} tables")
    for kind in ("binary", "gamma"):
        for n, goal in ((5_000, "recall >= 0.75"), (20_000, "precision >= 0.9, recall >= 0.85")):
            for confirm in (0.0, 0.5):
                result = measure_planted(kind=kind, n=n, confirm=confirm, tables=tables)
                print_row(f"{kind} errors, n = {n:,}, confirm = {confirm}", quality(result), goal)
                for name, (hits, count), want in (
                    ("of planted slices", result.of_planted, "0.93 to 0.97"),
                    ("of findings, held-out rows", result.of_holdout, "0.93 to 0.97"),
                    ("of findings, discovery rows (optimistic)", result.of_discovery, ""),
                ):
                    if count:
                        cover = f"{hits / count:.3f} of {count:,}"
                        print_row(f"  95 % intervals {name} cover", cover, want)
    for base in (0.02, 0.3, 0.5):
        result = measure_planted(kind="binary", n=20_000, confirm=0.0, tables=40, base=base)
        print_row(f"binary errors, n = 20,000, {base} outside, 40 tables", quality(result))


def quality(result: PlantedResult) -> str:
    """Return precision and recall by exact name, and precision by half of the rows."""
    findings = max(result.findings, 1)
    return (
        f"precision {result.right / findings:.3f} ({result.overlapping / findings:.3f} by half the "
        f"rows), recall {result.found / result.planted:.3f}"
    )


def main() -> None:
    """Run the parts that are named as arguments."""
    parts = sys.argv[1:] or ["speed", "null", "planted"]
    for part in parts:
        {"speed": bench_speed, "null": bench_null, "planted": bench_planted}[part]()


if __name__ == "__main__":
    main()
