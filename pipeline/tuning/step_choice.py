"""How far to go from the untuned to the tuned encoder: the largest step that forgets too little."""

from collections.abc import Sequence

import polars as pl

from pipeline.tables import check
from pipeline.tables.tuning_tables import CURVE
from pipeline.tuning.judge_head import Change

STEPS = tuple(round(0.1 * number, 1) for number in range(11))


def draw_curve(
    steps: Sequence[float], gains: Sequence[Change], losses: Sequence[Change], *, keep: float
) -> pl.DataFrame:
    """Return CURVE. gains, losses: of each step. keep: the largest loss, of 0 to 1.

    A step is allowed where the interval of its gain lies above 0 and that of its loss below `keep`.
    """
    rows = [
        {
            "step": step,
            "gain": gain.value,
            "gain_low": gain.low,
            "gain_high": gain.high,
            "loss": loss.value,
            "loss_low": loss.low,
            "loss_high": loss.high,
            "allowed": gain.low > 0 and loss.high < keep,
        }
        for step, gain, loss in zip(steps, gains, losses, strict=True)
    ]
    return check(pl.DataFrame(rows, schema=dict(CURVE)), CURVE, table="curve")


def choose_step(curve: pl.DataFrame) -> float | None:
    """Return the largest step that is allowed, None where none is."""
    allowed = curve.filter(pl.col("allowed"))["step"]
    return None if allowed.is_empty() else float(allowed.to_numpy().max())
