"""How many further checks of which label would settle whether a slice does worse."""

from collections.abc import Sequence

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.confusion import Confusion
from pipeline.slices.label_noise.slice_draws import Membership, measure_signal
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
    checks = np.maximum(np.concatenate([one.checks.sum(axis=1) for one in confusions]), 1.0)
    free = np.concatenate([_count_unchecked(one) for one in confusions])
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


def plan_clearer_labels(
    confusions: Sequence[Confusion], inside: Sequence[Membership], *, signal: float
) -> Plan | None:
    """Plan the further checks with which every attribute's labels would be known to say enough.

    That is when 2.5 % of the draws of `measure_signal` exceed `signal`; their spread falls as
    1 / sqrt(checks). None where the labels say too little however many checks there are.
    """
    plan: Plan = []
    for confusion, one in zip(confusions, inside, strict=True):
        draws = measure_signal(confusion, one.true)
        low, middle = np.quantile(draws, [0.025, 0.5])
        if low >= signal:
            continue
        if middle <= signal:
            return None
        growth = ((middle - low) / (middle - signal)) ** 2 - 1
        for value, checks, free in zip(
            confusion.rows.shown, confusion.checks.sum(axis=1),
            _count_unchecked(confusion), strict=True,
        ):  # fmt: skip
            more = np.ceil(growth * max(checks, _ROUND) / _ROUND) * _ROUND
            if free:
                plan.append({"attribute": confusion.rows.name, "value": value,
                             "n": int(min(more, free))})  # fmt: skip
    return plan


def _count_unchecked(confusion: Confusion) -> Floats:
    rows = confusion.rows
    counts = np.bincount(rows.labels[rows.truth < 0], minlength=len(rows.shown))
    return counts.astype(np.float64)


def _split_variance(
    difference: Floats, confusions: Sequence[Confusion], source: Ints
) -> tuple[dict[tuple[str, str], float], float]:
    """Split the variance of the draws by label; what is left is that of the errors.

    Residuals are scaled up for the columns that were fitted, and the parts down to match.
    """
    names, blocks = [], []
    for confusion in confusions:
        for o, value in enumerate(confusion.rows.shown):
            names.append((confusion.rows.name, value))
            block = confusion.purity[source][:, :, o, :-1].reshape(len(source), -1)
            blocks.append(block - block.mean(axis=0))
    target = difference - difference.mean()
    design = np.concatenate(blocks, axis=1)
    slopes, _, rank, _ = np.linalg.lstsq(design, target, rcond=1e-6)
    left = target - design @ slopes
    freedom = max(len(target) - int(rank), 1)
    unexplained = min(float(left @ left) / freedom, float(target.var()))
    edges = np.cumsum([block.shape[1] for block in blocks])[:-1]
    parts = np.array([
        (block @ slope).var()
        for block, slope in zip(blocks, np.split(slopes, edges), strict=True)
    ])  # fmt: skip
    scale = (float(target.var()) - unexplained) / max(float(parts.sum()), 1e-300)
    return dict(zip(names, (parts * scale).tolist(), strict=True)), unexplained
