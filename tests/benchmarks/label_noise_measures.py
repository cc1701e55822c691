"""How close corrected errors of slices come to the true ones, and how often intervals hold them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.slices.label_noise.correction import correct_slices
from tests.benchmarks.label_noise_bound import bound_variance
from tests.benchmarks.label_noise_worlds import Dependence, NoiseWorld, draw_noise_world

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseScore:
    """Root mean squares over slices, by the rows' own true error, and shares of slices.

    seen: of errors as labelled. inverted: of the matrix-inverse method. corrected: of ours, all
    three where ours names an error. free: ours with independence assumed. bound: the Cramer-Rao
    bound; nan where labels depend. covered: intervals that hold the rate of the population. bounds,
    joint: slices with bounds, and with dependent labels. slices: how many.
    """

    seen: float
    inverted: float
    corrected: float
    free: float
    bound: float
    covered: float
    bounds: float
    joint: float
    slices: int


def measure_noise(
    worlds: int, *, values: int, attributes: int, flips: float, checks: int, n: int,
    dependence: Dependence = "none", together: bool = False, gamma: bool = False,
    by_failure: bool = False, first: int = 0,
) -> NoiseScore:  # fmt: skip
    """Correct every slice that holds all attributes in some worlds."""
    gaps, held, kinds, bounds = [], [], [], []
    for seed in range(first, first + worlds):
        world = draw_noise_world(
            seed, values=values, attributes=attributes, flips=flips, checks=checks, n=n,
            dependence=dependence, together=together, gamma=gamma, by_failure=by_failure,
        )  # fmt: skip
        ids = [one for one in world.list_slices() if min(one) >= 0]
        slices = [world.name_slice(one) for one in ids]
        found, free = (
            correct_slices(world.labels, world.errors, slices, truth=world.checks,
                           inclusion=world.inclusion, joint=joint)
            for joint in (None, False)
        )  # fmt: skip
        for one, row, other in zip(
            ids, found.iter_rows(named=True), free["corrected_error"], strict=True
        ):
            truth = world.measure_error(one, world.codes)
            named = row["corrected_error"]
            estimates = (world.measure_error(one, world.seen), invert_matrix(world, one),
                         named, other)  # fmt: skip
            if named is not None:
                gaps.append([np.nan if e is None else e - truth for e in estimates])
            held.append(row["corrected_low"] <= world.expect_error(one) <= row["corrected_high"])
            kinds.append(row["correction"])
        if dependence == "none" and not (together or gamma):
            bounds.append(bound_variance(world, checks))
    seen, inverted, corrected, free = np.sqrt(np.nanmean(np.array(gaps) ** 2, axis=0)).tolist()
    bound = float(np.sqrt(np.mean(bounds))) if bounds else float("nan")
    return NoiseScore(
        seen, inverted, corrected, free, bound, float(np.mean(held)),
        kinds.count("bounds") / len(kinds), kinds.count("joint") / len(kinds), len(kinds),
    )  # fmt: skip


def invert_matrix(world: NoiseWorld, ids: tuple[int, ...]) -> float:
    """Correct a slice's error by the inverse of P(truth | label), as SWD does for two values.

    e = (kron E)^-1 e_obs; attributes with |det E| <= 0.1 are left alone. Source: Gannamaneni et
    al., Systematic Weakness Detector, TMLR 2025.
    """
    product: Floats = np.ones((1, 1))
    for j, values in enumerate(world.rates.shape):
        known = world.checks[f"a{j}"].is_not_null().to_numpy()
        matrix: Floats = np.zeros((values, values))
        weights = np.ones(int(known.sum()))
        if world.inclusion is not None:  # null for rows that were drawn for another attribute
            weights = 1 / world.inclusion[f"a{j}"].to_numpy()[known]
            weights = np.where(np.isnan(weights), np.nanmean(weights), weights)
        np.add.at(matrix, (world.seen[j][known], world.codes[j][known]), weights)
        matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        if abs(np.linalg.det(matrix)) <= 0.1:
            matrix = np.eye(values)
        product = np.asarray(np.kron(product, matrix), np.float64)
    key = np.ravel_multi_index(tuple(world.seen), world.rates.shape)
    n = np.bincount(key, minlength=world.rates.size)
    errors = np.bincount(key, world.errors, minlength=world.rates.size) / np.maximum(n, 1)
    place = int(np.ravel_multi_index(ids, world.rates.shape))
    return float(np.linalg.solve(product, errors)[place])
