"""An object audit of a million boxes over 100,000 images, step by step, and its memory.

`python -m tests.benchmarks.bench_detection [--images N]`; ten boxes an image. Generating the
dataset is not timed. Each ratio compares two measurements of one run.
"""

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks.detection_steps import Measured, run_apart
from tests.benchmarks.detection_world import ATTRIBUTES, OBJECTS_PER_IMAGE, write_world

STEPS = ("read samples", "store samples", "label and store", "match", "store errors", "join",
         "slice")  # fmt: skip


def main() -> None:
    """Print the time and memory of every step beside the bare library call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        audit_file = write_world(Path(folder), images=images)
        steps = run_apart("run_steps", audit_file)
        bare = run_apart("run_bare", audit_file)
    print(
        f"detection: {images * OBJECTS_PER_IMAGE:,} boxes over {images:,} images, as many "
        f"detections, {len(ATTRIBUTES)} attributes"
    )
    print_steps(steps, bare)


def print_steps(steps: Measured, bare: Measured) -> None:
    """Print a line a step, the total, and the first finding."""
    print(f"  {'':18} {'wall':>8} {'CPU':>8} {'peak so far':>12} {'library':>9} {'ratio':>7}")
    for name in STEPS:
        step, library = steps[name], bare[name]["seconds"]
        print(
            f"  {name:18} {step['seconds']:6.2f} s {step['cpu']:6.2f} s {step['peak']:9.2f} GB "
            f"{library:7.2f} s {step['seconds'] / library:5.1f} x"
        )
    seconds, cpu = (sum(steps[name][key] for name in STEPS) for key in ("seconds", "cpu"))
    peak = max(steps[name]["peak"] for name in STEPS)
    print(
        f"  {'all':18} {seconds:6.2f} s {cpu:6.2f} s {peak:9.2f} GB   "
        "asked: < 60 s, < 4 GB on 2 cores"
    )
    for finding, error in steps["found"].items():
        print(f"  first finding, missed {error:.3f}: {finding}")


if __name__ == "__main__":
    main()
