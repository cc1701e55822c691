"""The page on which a person checks labels: one sample and one question, or what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from reports.parts.content_policy import Behavior
from reports.parts.numbers import format_percent
from reports.parts.templates import render_page

BEHAVIOR = Behavior(styles=("style.css", "check.css"), script="check.js", served=True)
# Keys that pick a value; y, n and u have a meaning of their own.
PICKS = tuple("123456789abcdefghijklmopqrstvwxz")
_NAMED = {"yes": "y", "no": "n"}  # of an attribute with these values, where no label is judged


@dataclass(frozen=True)
class CheckQuestion:
    """One label to judge.

    number: in the draw, from 0. shown: the label. values: of the attribute, in order. ahead: ids
    of the samples that come next. path: of the image in the dataset.
    """

    number: int
    sample_id: str
    attribute: str
    shown: str
    values: tuple[str, ...]
    path: str
    of_object: bool = False
    ahead: tuple[str, ...] = ()

    @property
    def unlabelled(self) -> bool:
        """Whether there is no label to judge, so that the question is which value is true."""
        return self.shown == UNKNOWN

    @property
    def other_value(self) -> str | None:
        """The value that is true when the label is wrong; None where there are several."""
        others = [value for value in self.values if value != self.shown]
        return others[0] if len(self.values) == 2 and len(others) == 1 else None


@dataclass(frozen=True)
class CheckedLabel:
    """What was said so far of one label of an attribute; None where nothing can be said.

    within_finding: whether the samples were drawn within a finding, not at random.
    """

    attribute: str
    shown: str
    within_finding: bool
    right: int
    wrong: int
    cannot_say: int
    left: int
    precision: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class CheckedAttribute:
    """How many labels of an attribute are right, by how often each is given."""

    attribute: str
    n: int
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class CheckerPair:
    """How far two checkers agree about the labels of one attribute."""

    attribute: str
    first: str
    second: str
    n: int
    agreement: float
    kappa: float | None


@dataclass(frozen=True)
class CheckState:
    """What the page shows.

    name: of the audit. draw_id: names the draw in the forms. question: None at the end. offers:
    sentences on what to do next, each with the command that does it. problem: why the last answer
    was not kept. home: the address of the pages that this one is among, "" where it is alone.
    """

    name: str
    checker: str
    draw_id: str
    answered: int
    total: int
    question: CheckQuestion | None
    can_undo: bool = False
    choosing: bool = False
    labels: tuple[CheckedLabel, ...] = ()
    attributes: tuple[CheckedAttribute, ...] = ()
    pairs: tuple[CheckerPair, ...] = ()
    offers: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    home: str = ""


@dataclass(frozen=True)
class ValueChoice:
    """A value that can be picked: its number in the attribute, and the keys that pick it."""

    number: int
    value: str
    keys: tuple[str, ...]


def build_check_page(state: CheckState) -> str:
    """Return the page; every text of `state` is escaped.

    It works as plain forms; its script lets keys press the buttons and swaps the page in place.
    """
    question = state.question
    return render_page(
        "check.html" if question is not None else "check_end.html",
        behavior=BEHAVIOR,
        title=f"{state.name}: check labels",
        state=state,
        question=question,
        choices=() if question is None else list_choices(question),
        choosing=question is not None and (state.choosing or question.unlabelled),
        words={"right": RIGHT, "wrong": WRONG, "cannot_say": CANNOT_SAY},
        labels=[(label, _write_share(label.precision, label.interval)) for label in state.labels],
        attributes=[(one, _write_share(one.accuracy, one.interval)) for one in state.attributes],
        pairs=state.pairs,
    )


def list_choices(question: CheckQuestion) -> tuple[ValueChoice, ...]:
    """Return the values that may be true instead of the label, each with the keys that pick it."""
    numbered = [pair for pair in enumerate(question.values) if pair[1] != question.shown]
    named = question.unlabelled and set(question.values) == set(_NAMED)
    return tuple(
        ValueChoice(
            number, value, (*PICKS[place : place + 1], *((_NAMED[value],) if named else ()))
        )
        for place, (number, value) in enumerate(numbered)
    )


def _write_share(share: float | None, interval: Sequence[float] | None) -> tuple[str, str]:
    """Return a share and its interval in words, both empty where there is none."""
    if share is None or interval is None:
        return "", ""
    low, high = interval
    return format_percent(share), f"{format_percent(low)} to {format_percent(high)}"
