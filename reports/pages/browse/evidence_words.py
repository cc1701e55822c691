"""The evidence of a view in words, as every served page states it."""

from dataclasses import dataclass

from reports.browse_models import Evidence, SampleItem, SystemItem
from reports.parts.numbers import format_count, format_number
from reports.parts.words import ErrorWords


@dataclass(frozen=True)
class EvidenceView:
    """The numbers of some samples, written: empty where they are not known."""

    n: str
    error: str
    error_range: str
    rest: str
    rest_n: str
    difference: str
    difference_range: str


@dataclass(frozen=True)
class Tile:
    """One sample in a gallery."""

    sample_id: str
    path: str
    lines: tuple[str, ...]
    outcome: str
    kind: str  # failed | passed | "" where that is not known
    alt: str


def make_words(system: SystemItem | None) -> ErrorWords | None:
    """Return how the errors of a system are written."""
    return None if system is None else ErrorWords(system.metric, system.share)


def view_evidence(evidence: Evidence | None, system: SystemItem | None) -> EvidenceView | None:
    """Write the evidence of a view; None where there is none."""
    words = make_words(system)
    if evidence is None or words is None:
        return None
    return EvidenceView(
        n=format_count(evidence.n),
        error=words.write(evidence.error) if evidence.n else "",
        error_range=_write_range(
            words.write_value(evidence.error_low) if evidence.error_low is not None else "",
            words.write_value(evidence.error_high) if evidence.error_high is not None else "",
        ),
        rest=words.write_value(evidence.rest_error) if evidence.rest_n else "",
        rest_n=format_count(evidence.rest_n),
        difference=words.write_difference(evidence.difference)
        if evidence.difference is not None
        else "",
        difference_range=_write_range(
            words.write_bound(evidence.difference_low)
            if evidence.difference_low is not None
            else "",
            words.write_bound(evidence.difference_high)
            if evidence.difference_high is not None
            else "",
        ),
    )


def view_tile(item: SampleItem, system: SystemItem | None) -> Tile:
    """Write one sample of a gallery."""
    words = make_words(system)
    outcome, kind = "", ""
    if words is not None and item.error is not None:
        outcome = words.write_outcome(item.error)
        kind = "failed" if item.error > 0 else "passed"
    lines = [] if item.similarity is None else [f"similarity {format_number(item.similarity)}"]
    name = item.path.rsplit("/", 1)[-1]
    return Tile(
        sample_id=item.sample_id,
        path=item.path,
        lines=tuple(lines),
        outcome=outcome,
        kind=kind,
        alt=f"{name}{f': {outcome}' if outcome else ''}",
    )


def _write_range(low: str, high: str) -> str:
    return f"{low} to {high}" if low and high else ""
