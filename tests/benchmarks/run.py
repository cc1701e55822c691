"""Run every benchmark, or those named: `python -m tests.benchmarks.run [detection slices]`."""

import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Run each bench_*.py in a process of its own; return the number that failed."""
    asked = sys.argv[1:]
    names = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = [n for n in names if not asked or any(word in n for word in asked)]
    failed = 0
    for name in chosen:
        print(f"== {name.removeprefix('bench_')}", flush=True)
        start = time.perf_counter()
        code = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False)
        failed += code.returncode != 0
        print(f"   {time.perf_counter() - start:.0f} s\n", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
