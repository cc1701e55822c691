"""The choice of distinct slices: what it finds beside an oracle, and what it finds in chance.

`python -m tests.benchmarks.bench_choice [found] [null] [beside] [--full]`. A small number of tables
by default; --full takes 30, 400 and 200 tables a row, some hours on two cores.
"""

import sys

from scipy import stats

from tests.benchmarks.choice_measures import (
    Recovery,
    measure_calibration,
    measure_null,
    measure_recovery,
)
from tests.benchmarks.choice_worlds import SHAPES

_ERRORS = (
    ("binary", 0.02), ("binary", 0.1), ("binary", 0.5), ("binary", 0.94),
    ("gamma", 0.1), ("lognormal", 0.1),
)  # fmt: skip
_BESIDE = (
    ("binary", 0.1, 5_000, False), ("binary", 0.1, 2_000, False), ("binary", 0.5, 5_000, False),
    ("binary", 0.02, 2_000, False), ("gamma", 0.1, 5_000, False), ("gamma", 0.1, 2_000, False),
    ("binary", 0.1, 5_000, True), ("gamma", 0.1, 5_000, True),
)  # fmt: skip


def bench_found(*, full: bool) -> None:
    """Print recall and precision by shape, size and lift, and the oracle's recall."""
    tables = 30 if full else 2
    print(f"choice: five planted slices in each of {tables} tables, 10 % errors outside")
    print(f"  {'':44} recall  precision  exact  noise | oracle: evident  beside the others")
    for n in (2_000, 5_000, 20_000):
        for lift in (0.25, 0.15):
            for shape in SHAPES:
                found = measure_recovery(shape=shape, n=n, lift=lift, tables=tables)
                print_recovery(f"{shape}, n = {n:,}, {lift} more inside", found)
    for kind, clustered in (("gamma", False), ("binary", True)):
        found = measure_recovery(
            shape="apart", n=5_000, lift=0.25, tables=tables, kind=kind, clustered=clustered
        )
        images = ", images of 1 to 8 rows" if clustered else ""
        print_recovery(f"apart, n = 5,000, {kind}{images}", found)


def print_recovery(what: str, found: Recovery) -> None:
    """Print one line of shares."""
    findings = max(found.findings, 1)
    print(
        f"  {what:44} {found.found / found.planted:6.3f} {found.right / findings:10.3f} "
        f"{found.exact / found.planted:6.3f} {found.empty:6d} | "
        f"{found.evident / found.planted:15.3f} {found.beside / found.planted:18.3f}",
        flush=True,
    )


def bench_null(*, full: bool) -> None:
    """Print how many tables without weak slices have any finding."""
    tables = 400 if full else 4
    print(f"choice: any finding in {tables} tables without weak slices, exact 95 % intervals")
    for n in (600, 2_000, 5_000):
        for clustered in (False, True):
            for kind, rate in _ERRORS:
                count = measure_null(kind=kind, rate=rate, n=n, tables=tables, clustered=clustered)
                images = ", images" if clustered else ""
                print_share(f"{kind} {rate}, n = {n:,}{images}", count, tables)


def bench_beside(*, full: bool) -> None:
    """Print how often another slice is significant beside the planted ones."""
    tables = 200 if full else 4
    print(f"choice: the planted slices given, another with P <= 5 % in {tables} tables")
    for kind, base, n, clustered in _BESIDE:
        count = measure_calibration(
            kind=kind, base=base, lift=0.25, n=n, tables=tables, clustered=clustered
        )
        images = ", images" if clustered else ""
        print_share(f"{kind} {base} outside, n = {n:,}{images}", count, tables)


def print_share(what: str, count: int, tables: int) -> None:
    """Print a share with its Clopper-Pearson interval."""
    low, high = stats.binomtest(count, tables).proportion_ci(method="exact")
    share = f"{count} = {count / tables:.3f} [{low:.3f}, {high:.3f}]"
    print(f"  {what:44} {share:30} at most 0.05", flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    full = "--full" in sys.argv[1:]
    asked = [word for word in sys.argv[1:] if word != "--full"] or ["found", "null", "beside"]
    for part in asked:
        {"found": bench_found, "null": bench_null, "beside": bench_beside}[part](full=full)


if __name__ == "__main__":
    main()
