"""The verdicts of the gates on one system's groups, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.fairness.verdicts import select_decisive, sum_up_verdicts
from pipeline.vocabulary import FAIL, INSUFFICIENT, NOT_JUDGED, PASS
from reports.models import FairnessReport
from reports.parts.catalogue import Words
from reports.parts.numbers import format_count, format_probability
from reports.parts.words import ErrorWords, Predicates

NAMED_GROUPS = 5  # in a sentence; the table has all
LISTED_VERDICTS = 200  # rows of the table; how many more there are is said
_ORDER = (FAIL, NOT_JUDGED, INSUFFICIENT, PASS)


@dataclass(frozen=True)
class VerdictView:
    """The verdict on one group."""

    predicates: Predicates
    n: str
    difference: str
    interval: str
    q: str
    corrected: bool  # whether the difference is the one corrected for wrong labels
    verdict: str


@dataclass(frozen=True)
class GateView:
    """The verdict on a system: the sum, the groups named in the sentence, every row."""

    verdict: str
    opening: str  # of the sentence: "The gate", and by whose labels it judges where a model's
    questionable: bool  # whether the system's outputs are, so that the gate does not pass
    allowed: str
    min_group: str
    failed: int
    unsure: int
    unjudged: int
    corrected: bool  # whether a difference was corrected
    passed: int
    named: list[VerdictView]  # the first of those that decide the verdict
    unnamed: int
    comma: str  # between those named: "; " where a pair has an "and" of its own
    rows: list[VerdictView]
    left_out: str


def view_gates(
    report: FairnessReport, words: ErrorWords, *, noisy: bool = False, unchecked: bool = False
) -> GateView | None:
    """Return the verdicts, summed up by `sum_up_verdicts`; None without gates.

    noisy: whether a model made the labels; unchecked: whether these were compared with no true
    values.
    """
    if report.verdicts is None:
        return None
    rows = sorted(report.verdicts.to_dicts(), key=_order_verdict)
    views = [_view_verdict(row, words) for row in rows]
    by_verdict = {name: [v for v in views if v.verdict == name] for name in _ORDER}
    gates = report.gates or {}
    least = int(gates.get("min_group", 0))
    verdict = sum_up_verdicts(report.verdicts, min_group=least, questionable=report.questionable)
    decisive = select_decisive(report.verdicts, min_group=least).to_dicts()
    deciding = [
        _view_verdict(row, words)
        for row in sorted(decisive, key=_order_verdict)
        if row["verdict"] == verdict != PASS
    ]
    listed = views[:LISTED_VERDICTS]
    return GateView(
        verdict=verdict,
        opening=_open_sentence(
            words.text,
            noisy=noisy,
            unchecked=unchecked,
            corrected=all(row["corrected"] for row in decisive) and bool(decisive),
        ),
        questionable=report.questionable,
        allowed=words.write_gap(gates.get("max_gap")),
        min_group=format_count(least),
        failed=len(by_verdict[FAIL]),
        unsure=len(by_verdict[INSUFFICIENT]),
        unjudged=len(by_verdict[NOT_JUDGED]),
        corrected=any(view.corrected for view in views),
        passed=len(by_verdict[PASS]),
        named=deciding[:NAMED_GROUPS],
        unnamed=max(0, len(deciding) - NAMED_GROUPS),
        comma="; " if any(len(view.predicates) > 1 for view in deciding) else ", ",
        rows=listed,
        left_out=format_count(len(views) - len(listed)) if len(views) > len(listed) else "",
    )


def _open_sentence(text: Words, *, noisy: bool, unchecked: bool, corrected: bool) -> str:
    if corrected:
        return text.say("By labels that a model predicted, corrected for wrong ones, the gate")
    if unchecked:
        return text.say("By labels that a model predicted and that were not checked, the gate")
    return text.say("By labels that a model predicted, the gate" if noisy else "The gate")


def _order_verdict(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Order failures first, in each verdict the largest difference first."""
    difference = row["difference"]
    known = difference is not None and difference == difference
    names = [(item["attribute"], item["value"]) for item in row["predicates"]]
    place = _ORDER.index(row["verdict"]) if row["verdict"] in _ORDER else len(_ORDER)
    return (place, -difference if known else float("inf"), names)


def _view_verdict(row: Mapping[str, Any], words: ErrorWords) -> VerdictView:
    low, high = row["difference_low"], row["difference_high"]
    known = low is not None or high is not None
    interval = words.write_bounds(low, high) if known else ""
    is_bounds = row["difference"] is None and known  # an interval without a number inside it
    return VerdictView(
        predicates=row["predicates"],
        n=format_count(row["n"] or 0),
        difference=interval if is_bounds else words.write_signed(row["difference"]),
        interval="" if is_bounds else interval,
        q=format_probability(row["q"]),
        corrected=bool(row["corrected"]),
        verdict=row["verdict"],
    )
