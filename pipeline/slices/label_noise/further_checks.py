"""How many further checks of which label would settle whether a slice does worse."""

from collections.abc import Sequence

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.confusion import Confusion
from pipeline.slices.label_noise.slice_posterior import SlicePosterior

Plan = list[dict[str, object]]
_Z = 1.96
_ROUND = 5  # checks are planned in fives


def plan_checks(posterior: SlicePosterior, confusions: Sequence[Confusion]) -> Plan | None:
    """Plan the fewest further checks with which the difference's interval would exclude 0.

    The variance of the difference is split by linear regression of its draws on those of
    P(truth | label), and the part of a label falls as 1 / its checks; further checks are shared
    out as the square roots of part times checks (Neyman). That holds if the point estimate does.
    Returns rows of attribute, value and n; empty where the interval excludes 0 already, None where
    no number of checks would settle it.
    """
    difference = posterior.error - posterior.rest_error
    low, high = np.quantile(difference, [0.025, 0.975])
    if low > 0 or high < 0:
        return []
    parts, unexplained = _split_variance(difference, confusions, posterior.source)
    allowed = (difference.mean() / _Z) ** 2 - unexplained
    names = list(parts)
    checks = np.array([max(_count(confusions, *name), 1.0) for name in names])
    free = np.array([_count_unchecked(confusions, *name) for name in names])
    variance = np.array([parts[name] for name in names])
    if allowed <= 0 or (variance * checks / (checks + free)).sum() > allowed:
        return None
    low_price, high_price = 0.0, float(np.sqrt(variance * checks).sum() / allowed) + checks.max()
    for _ in range(60):
        price = (low_price + high_price) / 2
        more = np.clip(price * np.sqrt(variance * checks) - checks, 0.0, free)
        if (variance * checks / (checks + more)).sum() > allowed:
            low_price = price
        else:
            high_price = price
    more = np.clip(high_price * np.sqrt(variance * checks) - checks, 0.0, free)
    return [
        {"attribute": name, "value": value, "n": min(int(np.ceil(m / _ROUND)) * _ROUND, int(f))}
        for (name, value), m, f in zip(names, more, free, strict=True)
        if m >= 1
    ]


def _split_variance(
    difference: Floats, confusions: Sequence[Confusion], source: Ints
) -> tuple[dict[tuple[str, str], float], float]:
    """Split the variance of the draws by label; what is left is that of the errors."""
    names, blocks = [], []
    for confusion in confusions:
        for o, value in enumerate(confusion.rows.shown):
            names.append((confusion.rows.name, value))
            block = confusion.pooled[source][:, o, :-1]
            blocks.append(block - block.mean(axis=0))
    target = difference - difference.mean()
    design = np.concatenate(blocks, axis=1)
    slopes = np.linalg.lstsq(design, target, rcond=None)[0]
    parts, at = {}, 0
    for name, block in zip(names, blocks, strict=True):
        width = block.shape[1]
        parts[name] = float((block @ slopes[at : at + width]).var())
        at += width
    return parts, max(float(target.var()) - sum(parts.values()), 0.0)


def _find(confusions: Sequence[Confusion], name: str, value: str) -> tuple[Confusion, int]:
    one = next(c for c in confusions if c.rows.name == name)
    return one, one.rows.shown.index(value)


def _count(confusions: Sequence[Confusion], name: str, value: str) -> float:
    one, o = _find(confusions, name, value)
    return float(one.checks[o].sum())


def _count_unchecked(confusions: Sequence[Confusion], name: str, value: str) -> float:
    one, o = _find(confusions, name, value)
    return float(((one.rows.labels == o) & (one.rows.truth < 0)).sum())
