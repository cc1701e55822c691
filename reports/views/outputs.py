"""What was made of a system's outputs: counts, warnings, and the gate on its mean error."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors.output_counts import count_outputs
from pipeline.vocabulary import FAIL, PASS
from reports.models import ErrorGate, SystemReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.numbers import format_count
from reports.parts.words import ErrorWords


@dataclass(frozen=True)
class OutputsView:
    """counts: (words, number). gate: the verdict on the mean error and a sentence, or nothing."""

    counts: list[tuple[str, str]]
    unread: tuple[str, ...]  # columns of its tables that nothing uses
    warnings: tuple[str, ...]
    gate: str
    gate_sentence: str


def view_outputs(system: SystemReport, text: Words = ENGLISH) -> OutputsView:
    """Return what the page says of one system's outputs."""
    words = ErrorWords(system.metric, system.share, text=text)
    counts = count_outputs(system.notes)
    return OutputsView(
        counts=[(text.say(name), format_count(count)) for name, count in counts.items()],
        unread=_list_unread(system.notes),
        warnings=system.warnings,
        gate=_judge(system.gate, questionable=bool(system.warnings)),
        gate_sentence="" if system.gate is None else _describe(system.gate, words),
    )


def _list_unread(notes: Mapping[str, object]) -> tuple[str, ...]:
    unread = notes.get("columns_not_read")
    return tuple(map(str, unread)) if isinstance(unread, list | tuple) else ()


def _judge(gate: ErrorGate | None, *, questionable: bool) -> str:
    """Return the verdict; a pass on questionable outputs is none."""
    if gate is None:
        return ""
    return "insufficient evidence" if questionable and gate.verdict == PASS else gate.verdict


def _describe(gate: ErrorGate, words: ErrorWords) -> str:
    if gate.error is None:
        return words.text.say("there was no error to judge")
    allowed = words.write_value(gate.max_error)
    if gate.error <= gate.max_error:
        words_of = "{error}, at most the {allowed} that are allowed"
    elif gate.verdict == FAIL:
        words_of = "{error}, more than the {allowed} that are allowed"
    else:
        words_of = (
            "{error}, more than the {allowed} that are allowed, which may be chance or is of too "
            "few samples"
        )
    return words.text.say(words_of, error=words.write(gate.error), allowed=allowed)
