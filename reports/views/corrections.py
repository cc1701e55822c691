"""What is known of the labels of a slice, and its error corrected for wrong ones, in words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.vocabulary import BOUNDS, UNCORRECTED
from reports.parts.catalogue import Words
from reports.parts.numbers import format_count, format_number, format_percent
from reports.parts.words import ErrorWords, Predicates, write_checks

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CorrectionView:
    """The correction of one finding; texts, empty where there is none."""

    n: str  # samples labelled so, held-out ones included
    precision: str  # share of these that truly are so
    precision_range: str
    size: str  # samples that truly are so
    error: str  # "41.0% missed", of bounds "20.0% to 55.0% missed"
    error_range: str  # none of bounds
    note: str
    needed: str  # "40 more checks of hat = yes and 25 of hat = no", or ""
    is_open: bool  # whether no number of checks would settle if it does worse


@dataclass(frozen=True)
class WorthView:
    """A slice that is no finding as labelled, and may be one when corrected."""

    predicates: Predicates
    precision: str
    size: str
    error: str
    error_range: str
    complement: str
    lift: str


def is_corrected(row: Row) -> bool:
    """Return whether there are corrected numbers, or bounds, of a finding or group."""
    return row["correction"] not in (None, UNCORRECTED)


def list_unchecked(row: Row, modelled: Collection[str]) -> list[str]:
    """Return the attributes of a finding or group whose labels nothing is known of.

    modelled: the attributes whose labels a model made.
    """
    if is_corrected(row):
        return []
    names = [one["attribute"] for one in row["predicates"]]
    return [name for name in names if name in modelled]


def view_correction(row: Row, words: ErrorWords) -> CorrectionView | None:
    """Return the correction of a finding; None where no label of it was made by a model."""
    if row["correction"] is None:
        return None
    return CorrectionView(
        n=format_count(row["n"] + (row["holdout_n"] or 0)),
        precision=_write_share(row["label_precision"]),
        precision_range=_write_range(row, "label_precision", format_percent, words.text),
        size=_write_size(row["corrected_n"]),
        error=_write_error(row, words),
        error_range="" if row["correction"] == BOUNDS else write_error_range(row, words),
        note=row["correction_note"] or "",
        needed=write_checks(row["checks_needed"] or (), words.text),
        is_open=row["checks_needed"] is None and row["correction"] not in (BOUNDS, UNCORRECTED),
    )


def view_worth(row: Row, words: ErrorWords) -> WorthView:
    """Word one row of the CORRECTIONS that are worth checking."""
    return WorthView(
        predicates=row["predicates"],
        precision=_write_share(row["label_precision"]),
        size=_write_size(row["corrected_n"]),
        error=words.write_value(row["corrected_error"]),
        error_range=write_error_range(row, words),
        complement=words.write_value(row["corrected_rest_error"]),
        lift=format_number(row["corrected_lift"]),
    )


def _write_error(row: Row, words: ErrorWords) -> str:
    error, low = row["corrected_error"], row["corrected_low"]
    if row["correction"] == BOUNDS and low is not None:
        found = write_error_range(row, words)
        return words.write(low).replace(words.write_value(low), found, 1)
    return "" if error is None else words.write(error)


def write_error_range(row: Row, words: ErrorWords) -> str:
    """Write the interval of the corrected error, the smaller number first."""
    low, high = row["corrected_low"], row["corrected_high"]
    if low is None or high is None:
        return ""
    ends = (high, low) if words.success else (low, high)
    return words.write_range(*ends)


def _write_range(row: Row, name: str, write: Any, text: Words) -> str:  # noqa: ANN401 - a function of a number
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return ""
    return text.say("{low} to {high}", low=write(low), high=write(high))


def _write_share(share: float | None) -> str:
    return "" if share is None else format_percent(share)


def _write_size(n: float | None) -> str:
    return "" if n is None else format_count(round(n))
