"""What was mined in words and rows: the same on the console, on the page and in JSON."""

from typing import Any

import polars as pl

from flows.mining.mine_pool import Mined
from reports.parts.numbers import format_percent
from reports.parts.words import write_predicates

HIT = (
    "A hit is a sample that truly belongs to the slice, or an image that holds an object which "
    "does. Expected rates have the 95 % interval of the share that will be found."
)
_BY_LABELS = "as the audit labels them: too few of these labels are checked to say more"


def describe_mined(mined: Mined) -> list[str]:
    """Return sentences on what was mined from how much, and what was left out."""
    kind = "objects" if mined.table["x"].is_not_null().any() else "images"
    lines = [
        f"{mined.table.height:,} of {mined.pool.units.height:,} {kind} mined for "
        f"{mined.rates.height:,} findings of {mined.system}",
        f"left out: {mined.known:,} that the audit holds or nearly so, {mined.unusable:,} that "
        f"cannot be encoded, {mined.pool.rejects.height:,} that cannot be read",
    ]
    if mined.pool.windowed:
        lines.append("the pool has no boxes: objects were searched for in windows of the images")
    short = mined.rates.filter(pl.col("mined") < pl.col("asked"))
    if not short.is_empty():
        names = ", ".join(str(rank) for rank in short["finding"])
        lines.append(f"the pool had too few samples that are apart for findings {names}")
    unchecked = mined.rates.filter(pl.col("judged_by") == "labels")["finding"]
    if len(unchecked):
        names = ", ".join(str(rank) for rank in unchecked)
        lines.append(f"hits of findings {names} are expected {_BY_LABELS}")
    return [*lines, *mined.notes, HIT]


def tabulate_rates(rates: pl.DataFrame) -> list[dict[str, str]]:
    """Return MINED_RATES, or HIT_RATES, as rows of texts."""
    return [_write_rate(row) for row in rates.to_dicts()]


def _write_rate(row: dict[str, Any]) -> dict[str, str]:
    expected, random = row["expected"], row["random"]
    cells = {
        "finding": str(row["finding"]),
        "slice": write_predicates(row["predicates"]),
        "mined": f"{row['mined']:,}",
        "hits expected (95 %)": _write_share(expected, row["expected_low"], row["expected_high"]),
        "at random": format_percent(random),
        "times": "" if expected is None or random <= 0 else f"{expected / random:.1f}",
    }
    if "labelled" in row:
        cells["labelled"] = f"{row['labelled']:,}"
        cells["hits found (95 %)"] = _write_share(row["rate"], row["low"], row["high"])
        fits = row["as_expected"]
        cells["as expected"] = "" if fits is None else "yes" if fits else "no"
    return cells


def _write_share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return ""
    return f"{format_percent(value)} ({format_percent(low)} to {format_percent(high)})"
