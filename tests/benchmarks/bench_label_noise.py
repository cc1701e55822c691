"""Errors of slices corrected for wrong labels, on generated tables whose truth is known.

`python -m tests.benchmarks.bench_label_noise [independent] [dependent] [speed] [--tables=100]`. Six
tables a line where nothing is said, which is few: a ratio is then good to a fifth. `--first=N` is
the seed of the first table.
"""

import sys
import time
from itertools import product

import numpy as np
import polars as pl

from pipeline.slices.label_noise.correction import correct_slices
from pipeline.slices.label_noise.diluted import find_diluted
from tests.benchmarks.label_noise_measures import NoiseScore, measure_noise
from tests.benchmarks.label_noise_worlds import Dependence

_ROWS = 20_000
_NEAR_BOUND = 1.15  # times the Cramer-Rao bound: as good as an unbiased estimate can be
_HARDER: tuple[tuple[Dependence, int, int, float, int, bool], ...] = (
    ("errors", 2, 1, 0.05, 50, False), ("errors", 2, 1, 0.15, 50, False),
    ("errors", 3, 1, 0.25, 100, False), ("errors", 2, 2, 0.15, 50, False),
    ("errors", 3, 2, 0.25, 100, False), ("labels", 2, 2, 0.15, 50, False),
    ("labels", 2, 2, 0.25, 100, False), ("labels", 3, 2, 0.25, 100, False),
    ("labels", 2, 2, 0.25, 100, True),
)  # fmt: skip


def bench_independent(*, tables: int, first: int = 0) -> None:
    """Print how far errors are from the truth as labelled, by the matrix inverse, and corrected."""
    print(
        f"label noise: {tables} tables of {_ROWS:,} rows a line, 0/1 errors; root mean squares of"
    )
    print("slice errors; ratio: corrected to labelled; best: the Cramer-Rao bound to labelled")
    for values, attributes, checks, flips in product((2, 3), (1, 2), (50, 100), (0.05, 0.15, 0.25)):
        found = measure_noise(
            tables, values=values, attributes=attributes, flips=flips, checks=checks, n=_ROWS,
            first=first,
        )  # fmt: skip
        print_score(f"{values} values, {attributes} attr., {checks:3d} checks, {flips:.0%}", found)


def bench_dependent(*, tables: int, first: int = 0) -> None:
    """Print the same where label errors depend on the system's errors, or on each other.

    Each line twice: checks random within a label, and two fifths of them where the system fails.
    """
    print("label noise: wrong labels where the system errs, or where other labels are wrong")
    for line, by_failure in product(_HARDER, (False, True)):
        dependence, values, attributes, flips, checks, together = line
        found = measure_noise(
            tables, values=values, attributes=attributes, flips=flips, checks=checks, n=_ROWS,
            dependence=dependence, together=together, by_failure=by_failure, first=first,
        )  # fmt: skip
        rows = ", same rows" if together else ""
        rows += ", by failure" if by_failure else ""
        what = f"{dependence}: {values} values, {attributes} attr., {checks:3d} checks{rows}"
        print_score(f"{what}, {flips:.0%}", found)
    found = measure_noise(
        tables, values=3, attributes=2, flips=0.15, checks=100, n=_ROWS, gamma=True, first=first
    )
    print_score("gamma errors: 3 values, 2 attr., 100 checks, 15%", found)


def print_score(what: str, found: NoiseScore) -> None:
    """Print one line."""
    near = found.corrected <= _NEAR_BOUND * found.bound
    print(
        f"  {what:64} labelled {found.seen:.4f} inverse {found.inverted:.4f} "
        f"corrected {found.corrected:.4f} (independent {found.free:.4f}) "
        f"ratio {found.corrected / found.seen:.2f} best {found.bound / found.seen:.2f}"
        f"{' (at the bound)' if near else ''} "
        f"covers {found.covered:.3f} bounds {found.bounds:.2f} joint {found.joint:.2f} "
        f"of {found.slices}",
        flush=True,
    )


def bench_speed() -> None:
    """Print the processor time of 15 findings of three attributes over 100,000 rows."""
    rng = np.random.default_rng(0)
    n, table, truth = 100_000, {}, {}
    for j, values in enumerate((2, 2, 3, 4, 5, 5, 2, 3, 6)):
        words = pl.Series([*(f"v{v}" for v in range(values)), "unknown"])
        true = rng.choice(values, n, p=rng.dirichlet(np.full(values, 2.0)))
        shown = np.where(rng.random(n) < 0.2, rng.integers(0, values + 1, n), true)
        table[f"a{j}"] = words.gather(shown)
        known = pl.Series(rng.random(n) < 300 / n)
        truth[f"a{j}"] = pl.select(pl.when(known).then(words.gather(true))).to_series()
    names = [sorted(rng.choice(sorted(table), 3, replace=False)) for _ in range(15)]
    slices = [[{"attribute": str(a), "value": "v0"} for a in group] for group in names]
    for kind, errors in (
        ("0/1", (rng.random(n) < 0.1).astype(np.float64)),
        ("real-valued", rng.gamma(1.0, 0.1, n)),
    ):
        labels, known_truth = pl.DataFrame(table), pl.DataFrame(truth)
        start = time.process_time()
        correct_slices(labels, errors, slices, truth=known_truth)
        middle = time.process_time()
        find_diluted(labels, errors, truth=known_truth)
        print(f"  {kind} errors, {n:,} rows, 9 attributes: 15 findings of level 3 in "
              f"{middle - start:.1f} s of processor time, slices worth checking in "
              f"{time.process_time() - middle:.1f} s", flush=True)  # fmt: skip


def main() -> None:
    """Run the parts that are asked for."""
    counts = [int(word.split("=")[1]) for word in sys.argv[1:] if word.startswith("--tables=")]
    tables = counts[0] if counts else 6
    starts = [int(word.split("=")[1]) for word in sys.argv[1:] if word.startswith("--first=")]
    first = starts[0] if starts else 0
    asked = [word for word in sys.argv[1:] if not word.startswith("--")]
    for part in asked or ["independent", "dependent", "speed"]:
        if part == "speed":
            bench_speed()
        else:
            {"independent": bench_independent, "dependent": bench_dependent}[part](
                tables=tables, first=first
            )


if __name__ == "__main__":
    main()
