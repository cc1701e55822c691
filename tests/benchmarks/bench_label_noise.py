"""Correction for wrong labels: generated tables with known truth.

`python -m tests.benchmarks.bench_label_noise [--full]`.
"""

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from pipeline.slices.label_noise.correction import correct_slices
from tests.benchmarks.label_noise_worlds import NoiseWorld, draw_noise_world


@dataclass
class Score:
    """Squared errors and hits of many slices."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, world: NoiseWorld, level: int) -> None:
        ids = [one for one in world.list_slices() if sum(v >= 0 for v in one) == level]
        corrected = correct_slices(
            world.labels, world.errors, [world.name_slice(one) for one in ids], truth=world.checks
        )
        for one, row in zip(ids, corrected.iter_rows(named=True), strict=True):
            truth = world.measure_error(one, world.codes)
            self.rows.append({
                "seen": world.measure_error(one, world.seen) - truth,
                "swd": correct_by_matrix(world, one) - truth,
                "corrected": None if row["corrected_error"] is None else row["corrected_error"] - truth,
                "corrected_expected": None if row["corrected_error"] is None else row["corrected_error"] - world.expect_error(one),
                "covers": row["corrected_low"] <= world.expect_error(one) <= row["corrected_high"],
                "covers_rows": row["corrected_low"] <= truth <= row["corrected_high"],
                "width": row["corrected_high"] - row["corrected_low"],
                "correction": row["correction"],
            })  # fmt: skip

    def line(self) -> str:
        f = pl.DataFrame(self.rows, infer_schema_length=None)
        rms = lambda c: float(np.sqrt((f[c].drop_nulls() ** 2).mean()))  # noqa: E731
        b = (f["correction"] == "bounds").mean(); j = (f["correction"] == "joint").mean()
        return (f"{rms('seen'):.4f} swd {rms('swd'):.4f} cor {rms('corrected'):.4f} ratio {rms('corrected') / rms('seen'):.3f} "
                f"pop {rms('corrected_expected'):.4f} cover {f['covers'].mean():.3f} rows {f['covers_rows'].mean():.3f} "
                f"width {f['width'].mean():.3f} bounds {b:.2f} joint {j:.2f} k {f.height}")


def correct_by_matrix(world: NoiseWorld, ids: tuple[int, ...]) -> float:
    """SWD, equation of FACTS: e = (kron E)^-1 e_obs."""
    at = [j for j, v in enumerate(ids) if v >= 0]
    E = np.ones((1, 1))
    shape = [world.rates.shape[j] for j in at]
    for j in at:
        known = world.checks[f"a{j}"].is_not_null().to_numpy()
        K = world.rates.shape[j]
        m = np.zeros((K, K))
        np.add.at(m, (world.seen[j][known], world.codes[j][known]), 1)
        m /= np.maximum(m.sum(1, keepdims=True), 1)
        E = np.kron(E, m)
    key = np.ravel_multi_index([world.seen[j] for j in at], shape)
    n = np.bincount(key, minlength=int(np.prod(shape)))
    e = np.bincount(key, world.errors, minlength=len(n)) / np.maximum(n, 1)
    if abs(np.linalg.det(E)) < 1e-6:
        return float(e[np.ravel_multi_index([ids[j] for j in at], shape)])
    return float(np.linalg.solve(E, e)[np.ravel_multi_index([ids[j] for j in at], shape)])


def main() -> None:
    full = "--full" in sys.argv
    count = 100 if full else 30
    for values in (2, 3):
        for attributes in (1, 2):
            for checks in (50, 100):
                for flips in (0.05, 0.15, 0.25):
                    score = Score()
                    for seed in range(count * (1 if attributes == 2 else 2)):
                        score.add(draw_noise_world(seed, values=values, attributes=attributes, flips=flips, checks=checks), attributes)
                    print(f"{values} values {attributes} attr {checks:3d} checks {flips:.2f}: {score.line()}", flush=True)


if __name__ == "__main__":
    main()
