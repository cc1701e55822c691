"""How small the error of any unbiased estimate can be: the Cramer-Rao bound of a noise world."""

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.label_noise_worlds import NoiseWorld

Floats = NDArray[np.float64]
_STEP = 1e-5


def bound_variance(world: NoiseWorld, checks: int) -> Floats:
    """Return the least variance of each slice of all attributes, minus that of its rows' errors.

    What is left is that of an estimate about the rows' own mean error. 0/1 errors, independent
    labels. The parameters are the shares and error rates of the combinations of true values and the
    confusion matrix of each attribute; the information is that of all rows' labels and errors, and
    of the true values of `checks` rows a label given their errors and all their labels.
    """
    count = world.rates.size
    at = _list_parameters(world)
    chance = _multiply(world, at)  # (t, o, e)
    steps = np.eye(len(at)) * _STEP
    slope = np.stack([
        (_multiply(world, at + step) - _multiply(world, at - step)) / (2 * _STEP) for step in steps
    ])  # fmt: skip
    shown, shown_slope = chance.sum(axis=0), slope.sum(axis=1)
    information = len(world.errors) * np.einsum(
        "aoe,boe,oe->ab", shown_slope, shown_slope, 1 / shown
    )
    for j in range(len(world.codes)):
        information += _inform_by_checks(world, chance, slope, j, checks)
    variance = np.diag(np.linalg.inv(information))[count - 1 : 2 * count - 1]
    rate, share = world.rates.ravel(), world.shares.ravel()
    own = rate * (1 - rate) / (len(world.errors) * share)
    return np.asarray(np.maximum(variance - own, 0.0))


def _list_parameters(world: NoiseWorld) -> Floats:
    matrices = []
    for true, seen, values in zip(world.codes, world.seen, world.rates.shape, strict=True):
        matrix = np.zeros((values, values))
        np.add.at(matrix, (true, seen), 1)
        matrices.append((matrix / matrix.sum(axis=1, keepdims=True))[:, :-1].ravel())
    return np.concatenate([world.shares.ravel()[:-1], world.rates.ravel(), *matrices])


def _multiply(world: NoiseWorld, parameters: Floats) -> Floats:
    """Return (t, o, 2) probabilities of true values, labels and errors."""
    count, values = world.rates.size, world.rates.shape[0]
    share = np.append(parameters[: count - 1], 1 - parameters[: count - 1].sum())
    rate = parameters[count - 1 : 2 * count - 1]
    rows = parameters[2 * count - 1 :].reshape(-1, values, values - 1)
    matrices = np.concatenate([rows, 1 - rows.sum(axis=2, keepdims=True)], axis=2)
    labels = np.ones((1, 1))
    for matrix in matrices:
        labels = np.kron(labels, matrix)
    both = share[:, None] * labels
    return np.stack([both * (1 - rate)[:, None], both * rate[:, None]], axis=2)


def _inform_by_checks(
    world: NoiseWorld, chance: Floats, slope: Floats, j: int, checks: int
) -> Floats:
    """Return the information of attribute j's true values given errors and all labels."""
    shape = world.rates.shape
    axes = tuple(k for k in range(len(shape)) if k != j)
    both = chance.reshape(*shape, *chance.shape[1:]).sum(axis=axes)  # (t_j, o, e)
    both_slope = slope.reshape(len(slope), *shape, *chance.shape[1:]).sum(
        axis=tuple(axis + 1 for axis in axes)
    )
    shown, shown_slope = chance.sum(axis=0), slope.sum(axis=1)
    label = np.unravel_index(np.arange(shown.shape[0]), shape)[j]
    share = np.bincount(label, shown.sum(axis=1))
    rate = checks / share[label]
    given = np.einsum("atoe,btoe,toe,o->ab", both_slope, both_slope, 1 / both, rate)
    return np.asarray(
        given - np.einsum("aoe,boe,oe,o->ab", shown_slope, shown_slope, 1 / shown, rate)
    )
