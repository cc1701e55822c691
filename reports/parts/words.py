"""Errors, slices and labels in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.error_metrics import ErrorMetric, find_metric
from pipeline.vocabulary import CONFIRMED, INSUFFICIENT, LEVEL, LIKELY, UNCLEAR
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.numbers import MINUS, format_number, format_percent, format_probability

Predicates = Sequence[Mapping[str, str]]

_NUMBER = r"[-\N{MINUS SIGN}+]?[\d.,]+(?:e[-+]?\d+)?"
_BOUND = re.compile(rf"(?:<|>|<=|>=|\u2264|\u2265) ?{_NUMBER}")
_BIN = re.compile(rf"[(\[]{_NUMBER}, ?{_NUMBER}[)\]]")

SOURCES = {
    "zero-shot": "predicted by an image-text model, so some labels are wrong",
    "probe": "predicted by a trained probe, so some labels are wrong",
    "measured": "measured from the pixels or the size",
    "given": "given with the data",
    "cluster": "clusters of the embeddings, named by what is typical of them",
    "truth": "true labels from the truth file",
}
STATES = {
    CONFIRMED: (
        "It passed the strictest check: on images held out from the search, or, where none were "
        "held out, in a permutation test against every slice that was counted."
    ),
    LIKELY: (
        "It passed a check over all counted slices (a false discovery rate below 5 %, or the "
        "permutation test), but not the strictest one. About one in twenty of these can be chance."
    ),
    UNCLEAR: (
        "It holds up as labelled, but so many labels are wrong that the slice as it truly is may "
        "do no worse than the rest. More checked labels would settle it."
    ),
    INSUFFICIENT: (
        "It looks weak, but this data cannot tell it from chance. It is not counted as a finding."
    ),
}


@dataclass(frozen=True)
class ErrorWords:
    """How the errors of one system are written.

    metric: its name in the `errors` table. share: written as percentages. success: success
    rates (1 - error) are shown in place of errors. text: the language.
    """

    metric: str
    share: bool
    success: bool = False
    text: Words = ENGLISH

    @property
    def record(self) -> ErrorMetric:
        """The record of the metric, with its unit and words."""
        return find_metric(self.metric)

    @property
    def percent(self) -> bool:
        """Whether means are written as percentages."""
        return self.share and self.record.unit != "count"

    @property
    def outcome(self) -> str | None:
        """What a sample with error 1 is called, e.g. "missed"; with `success`, error 0."""
        named = self.record.failed is not None and (self.percent or not self.record.is_part)
        if self.success:
            return self.text.say((self.record.passed if named else None) or "without error")
        return self.text.say(self.record.failed) if named and self.record.failed else None

    @property
    def noun(self) -> str:
        """The name of the mean, e.g. "missed", "without error" or "mean log-loss"."""
        mean = self.record.mean
        return self.outcome or (
            self.text.say(mean) if mean else self.text.say("mean {metric}", metric=self.metric)
        )

    @property
    def flawless(self) -> str:
        """What a system did all of whose errors are zero."""
        return self.text.say(self.record.flawless)

    @property
    def of_part(self) -> bool:
        """Whether `outcome` names a thing of which a share is lost or kept."""
        return self.percent and self.record.is_part

    @property
    def meaning(self) -> str | None:
        """A sentence that says what the error is, where it is a known one."""
        meaning = self.record.meaning
        return None if meaning is None else self.text.say(meaning)

    def turn(self, error: float | None) -> float | None:
        """Return the number to show for a mean error."""
        return 1 - error if self.success and error is not None else error

    def write_value(self, error: float | None) -> str:
        """Write a mean error as a bare number: "27.1%" or "2.31"."""
        shown = self.turn(error)
        return format_percent(shown) if self.percent else format_number(shown)

    def write(self, error: float | None) -> str:
        """Write a mean error: "27.1% missed" or "mean log-loss 2.31"."""
        value = self.write_value(error)
        if self.record.is_part and self.outcome:
            return self.text.say("{value} of the {part}", value=value, part=self.outcome)
        return f"{value} {self.outcome}" if self.outcome else f"{self.noun} {value}"

    def write_gap(self, difference: float | None) -> str:
        """Write the size of a difference, without sign: "3.1 percentage points" or "0.42"."""
        if difference is None:
            return format_number(None)
        if self.percent:
            return self.text.say("{n} percentage points", n=f"{100 * abs(difference):.1f}")
        return format_number(abs(difference))

    def write_difference(self, difference: float | None) -> str:
        """Write a difference of means with its sign: "+22.1 points" or "+0.42"."""
        signed = self.write_signed(difference)
        if not self.percent or difference is None:
            return signed
        return self.text.say("{n} points", n=signed)

    def write_signed(self, difference: float | None) -> str:
        """Write a difference of means with its sign and without its unit: "+22.1"."""
        value = self.write_bound(difference)
        return value if value[0] in f"{MINUS}\N{EN DASH}" else f"+{value}"

    def write_bound(self, difference: float | None) -> str:
        """Write one end of the interval of a difference, in points where means are percentages."""
        if difference is None or difference != difference:
            return format_number(None)
        shown = -difference if self.success else difference
        if self.percent and abs(shown) != float("inf"):
            return f"{100 * shown:.1f}".replace("-", MINUS)
        return format_number(shown)

    def write_range(self, low: float | None, high: float | None) -> str:
        """Write an interval of a mean error, its ends in the order given: "3.1% to 5.0%"."""
        ends = (self.write_value(low), self.write_value(high))
        return self.text.say("{low} to {high}", low=ends[0], high=ends[1])

    def write_bounds(self, low: float | None, high: float | None) -> str:
        """Write an interval of a difference, its ends in the order given."""
        ends = (self.write_bound(low), self.write_bound(high))
        return self.text.say("{low} to {high}", low=ends[0], high=ends[1])

    def write_outcome(self, error: float) -> str:
        """Write the error of one sample: "missed", "found", or its number."""
        names = (self.record.failed, self.record.passed)
        failed, passed = (None if name is None else self.text.say(name) for name in names)
        value = format_percent(error) if self.percent else format_number(error)
        if self.record.is_part:
            if not self.percent:
                return f"{self.metric} {value}"
            return self.text.say("{value} of the {part}", value=value, part=failed)
        if failed and passed and error in (0.0, 1.0):
            return failed if error == 1 else passed
        return f"{value} {failed}" if failed else f"{self.metric} {value}"


def find_relation(value: str) -> str:
    """Return the sign between an attribute and its value.

    "=" for a plain value, "in" for a bin such as "(12, 40]", nothing for "<= 12" or "> 40".
    """
    if _BOUND.fullmatch(value):
        return ""
    return "in" if _BIN.fullmatch(value) else "="


def write_evidence(row: Mapping[str, Any], text: Words = ENGLISH) -> str:
    """Write the p or q that gives a finding its state: "held-out p 0.0021".

    Of a confirmed one the held-out p or, with nothing held out, the family-wise p; of a likely one
    the first below 0.05 of q, the family-wise p, and q when it was chosen; of an unclear one, whose
    evidence is of the labels, the first below 0.05 of all; of others q.
    """
    numbers = {
        "held-out p": row.get("holdout_p"), "q": row["q"], "family-wise p": row.get("p_family"),
        "q when chosen": row.get("q_residual"),
    }  # fmt: skip
    known = {name: value for name, value in numbers.items() if value is not None}
    found = "q"
    if row["state"] == CONFIRMED:
        found = next((name for name in ("held-out p", "family-wise p") if name in known), "q")
    elif row["state"] == LIKELY:
        known.pop("held-out p", None)
    if row["state"] in (LIKELY, UNCLEAR):
        found = next((name for name, value in known.items() if value < LEVEL), "q")
    return f"{text.say(found)} {format_probability(known[found])}"


def write_predicates(predicates: Predicates, text: Words = ENGLISH) -> str:
    """Write a slice: "blur = high and sharpness <= 12"."""
    parts = [
        (item["attribute"], find_relation(item["value"]), item["value"]) for item in predicates
    ]
    word = f" {text.say('and')} "
    return word.join(" ".join(filter(None, part)) for part in parts) or text.say("all samples")


def write_checks(needed: Iterable[Mapping[str, Any]], text: Words = ENGLISH) -> str:
    """Write further checks: "40 more checks of hat = yes and 25 of hat = no"; nothing of none."""
    parts: list[str] = []
    for one in needed:
        if one["n"]:
            words = "{n} of {slice}" if parts else "{n} more checks of {slice}"
            slice_ = write_predicates([{**one}], text)
            parts.append(text.say(words, n=f"{one['n']:,}", slice=slice_))
    return enumerate_words(parts, text)


def write_group_sources(labels: str, sources: Iterable[str], text: Words = ENGLISH) -> str:
    """Write what makes the groups that are compared: "by predicted and given labels".

    labels: predicted or truth. sources: of the labels of each attribute, as in the manifest; a
    model made those that are neither given nor measured.
    """
    if labels == "truth":
        return text.say("by true attributes")
    kinds = {source if source in ("given", "measured") else "predicted" for source in sources}
    words = [text.say(word) for word in ("predicted", "given", "measured") if word in kinds]
    kind = enumerate_words(words or [text.say("predicted")], text)
    return text.say("by {kind} labels", kind=kind)


def enumerate_words(words: Sequence[str], text: Words = ENGLISH) -> str:
    """Write "a", "a and b" or "a, b and c"."""
    return f" {text.say('and')} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def write_samples(count: int, *, kind: str, text: Words = ENGLISH) -> str:
    """Write a number of samples: "1 image", "5,000 objects"."""
    return f"{count:,} {text.say(kind if count == 1 else kind + 's')}"
