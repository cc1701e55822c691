"""Run the property tests with fresh seeds, pass after pass, until the time is up.

python -m tests.fuzz --seconds 600      a pass takes about a minute on two cores
python -m tests.fuzz --seed 12345       one pass with the seed of a failure
"""

import argparse
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = ("-m", "pytest", "-m", "hypothesis", "--hypothesis-profile=fuzz", "-q", "-n", "auto")


def run_pass(seed: int) -> int:
    """Run every property test once; return the exit code of pytest, which prints failures."""
    command = [sys.executable, *COMMAND, f"--hypothesis-seed={seed}", *list_files()]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def list_files() -> list[str]:
    """Return the test files with properties, so that pytest need not import the others."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(file) for file in files if "hypothesis" in file.read_text("utf-8")]


def fuzz(seconds: float) -> int:
    """Run passes as long as the slowest one so far still fits into `seconds`, at least one."""
    end = time.monotonic() + seconds
    slowest = 0.0
    passes = 0
    while passes == 0 or time.monotonic() + slowest < end:
        seed = secrets.randbelow(2**32)
        start = time.monotonic()
        print(f"pass {passes + 1}, seed {seed}", flush=True)
        code = run_pass(seed)
        slowest = max(slowest, time.monotonic() - start)
        if code != 0:
            print(f"failed; again with: python -m tests.fuzz --seed {seed}", file=sys.stderr)
            return code
        passes += 1
    print(f"{passes} passes, nothing found")
    return 0


def main() -> int:
    """Read the arguments and run one pass with a given seed, else as many as there is time for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="time for all passes")
    parser.add_argument("--seed", type=int, help="run one pass with this seed")
    asked = parser.parse_args()
    return fuzz(asked.seconds) if asked.seed is None else run_pass(asked.seed)


if __name__ == "__main__":
    sys.exit(main())
