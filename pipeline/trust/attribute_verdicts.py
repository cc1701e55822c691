"""One verdict for each attribute, and the sentence for findings that rest on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.tables import TRUST, check
from pipeline.trust.group_accuracy import LEANS, NOT_MEASURED, GroupBias
from pipeline.vocabulary import INSUFFICIENT

ENDANGERED = "endangered"
NOTHING_FOUND = "nothing found"
GOOD, POOR = "good", "poor"
READS_TEXT = "reads text"  # as the table of flips says it
ENOUGH = 0.8  # share of right labels: above it with its whole interval they are good

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """What is known of the labels of one attribute.

    quality: its row of LABEL_QUALITY for the labels in use and all values. flips: its row of FLIPS
    without defence and of all areas. Both None where not measured.
    """

    attribute: str
    quality: Row | None
    flips: Row | None
    bias: GroupBias


def judge_attributes(measured: Sequence[Measured]) -> pl.DataFrame:
    """Return TRUST: one row an attribute, in the order given.

    Labels are good where the interval of the share right lies above ENOUGH, poor where it lies
    below. An attribute is endangered where its labels are poor, follow written words, or are right
    more often in one group than in others; its `note` says so. "nothing found": at least one of
    these was measured, and none endangers it. Where the evidence is insufficient nothing is found
    either, and the columns say so.
    """
    rows = [_judge(one) for one in measured]
    return check(pl.DataFrame(rows, schema=dict(TRUST)), TRUST, table="trust")


def _judge(one: Measured) -> dict[str, Any]:
    quality, flips, bias = one.quality or {}, one.flips or {}, one.bias
    row: dict[str, Any] = dict.fromkeys(TRUST) | {
        "attribute": one.attribute,
        "accuracy": quality.get("accuracy"),
        "accuracy_low": quality.get("accuracy_low"),
        "accuracy_high": quality.get("accuracy_high"),
        "quality": _judge_quality(quality),
        "flips": flips.get("difference"),
        "flips_low": flips.get("difference_low"),
        "flips_high": flips.get("difference_high"),
        "text": flips.get("verdict") or NOT_MEASURED,
        "group": bias.group,
        "bias_difference": bias.difference,
        "bias_low": bias.low,
        "bias_high": bias.high,
        "bias": bias.verdict,
        "leakage": NOT_MEASURED,
    }
    dangers = list(_list_dangers(row))
    known = [row[name] for name in ("quality", "text", "bias")]
    row["verdict"] = NOT_MEASURED if set(known) == {NOT_MEASURED} else NOTHING_FOUND
    if dangers:
        row["verdict"] = ENDANGERED
        row["note"] = f"Labels of {one.attribute} {_join(dangers)}."
    return row


def _judge_quality(quality: Row) -> str:
    low, high = quality.get("accuracy_low"), quality.get("accuracy_high")
    if quality.get("accuracy") is None:
        return NOT_MEASURED
    if low is None or high is None:
        return INSUFFICIENT
    return GOOD if low >= ENOUGH else POOR if high < ENOUGH else INSUFFICIENT


def _list_dangers(row: Row) -> list[str]:
    """Return the parts of the sentence: what endangers the labels, with its number."""
    parts = []
    if row["quality"] == POOR:
        parts.append(f"are right in {row['accuracy']:.0%} only")
    if row["text"] == READS_TEXT:
        parts.append(f"follow a word written into the picture in {row['flips']:.0%}")
    if row["bias"] == LEANS:
        change = "less" if row["bias_difference"] < 0 else "more"
        points = f"{100 * abs(row['bias_difference']):.0f} points"
        parts.append(f"are right {change} often where {row['group']} (by {points})")
    return parts


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
