"""Does a general slice only hold several special ones? None of them stands out of it alone."""

import numpy as np
from scipy import special

from pipeline.slices.array_types import Floats, Ints, Mask
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.evidence.normal_t import normal_t
from pipeline.slices.evidence.root_deviance import root_deviance
from pipeline.slices.options import Direction

_MOST_PARTS = 4


def find_parts(
    losses: Losses, held: Mask, elsewhere: Losses, *, direction: Direction
) -> tuple[list[int], Mask]:
    """Find special slices that together may explain a general one, the clearest first.

    losses: of the g rows of the general slice. held: (s, g) which of them each special slice has.
    elsewhere: losses of the rows outside. Each part is the special slice whose rows, without those
    of earlier parts, are worst against the rows outside; there are at most four. Ends where the
    rest of the general slice is no worse than outside (z below 1.64).
    Returns the rows of `held` that were chosen, and (g,) which rows they have.
    """
    sign = 1.0 if direction == "worse" else -1.0
    channels = losses.fill_channels()[:, :-1].astype(np.float64)  # (g, K)
    outside = elsewhere.add_up()
    left = np.ones(held.shape[1], np.bool_)
    parts: list[int] = []
    while len(parts) < _MOST_PARTS and left.any():
        if parts and _score(losses, channels[left].sum(axis=0)[None], outside, sign)[0] < _Z:
            break
        z = _score(losses, (held & left) @ channels, outside, sign)
        best = int(np.argmax(z))
        if z[best] < _Z:
            break
        parts.append(best)
        left &= ~held[best]
    return parts, ~left


_Z = float(special.ndtri(0.95))


def _score(losses: Losses, channels: Floats, outside: Sums, sign: float) -> Floats:
    """Return (s,) statistics of sums of channels against the rows outside."""
    whole = np.concatenate([np.rint(channels), np.zeros((len(channels), 1))], axis=1)
    part = losses.finish(whole.astype(np.int64))
    total = Sums(
        *(getattr(part, name) + getattr(outside, name) for name in Sums.__dataclass_fields__)
    )
    if losses.binary and losses.weights is None and losses.high > losses.low:
        scale = losses.high - losses.low
        high = np.rint((part.total - losses.low * part.n) / scale)
        all_high = np.rint((total.total - losses.low * total.n) / scale)
        return _score_bits(high, part.n, all_high, total.n, sign)
    return normal_t(total, part, sign)


def _score_bits(high: Floats, n: Ints, all_high: Floats, all_n: Ints, sign: float) -> Floats:
    """Return root deviances of tables that each have totals of their own."""
    scores = [
        root_deviance(high[i : i + 1], n[i : i + 1], int(all_high[i]), int(all_n[i]), sign)[0]
        for i in range(len(n))
    ]
    return np.array(scores)
