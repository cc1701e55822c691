"""The findings of the last search, each with the way to its samples."""

from dataclasses import dataclass

from reports.browse_models import FindingItem, FindingList, SystemItem
from reports.pages.browse.addresses import address_finding, address_samples
from reports.pages.browse.evidence_words import make_words
from reports.pages.browse.frame import render_app_page
from reports.parts.numbers import format_count, format_percent, format_probability
from reports.parts.words import write_samples


@dataclass(frozen=True)
class FindingRow:
    """One finding, written."""

    rank: int
    address: str
    samples: str
    predicates: list[dict[str, str]]
    state: str
    n: str
    error: str
    rest: str
    difference: str
    interval: str
    q: str
    held_out: str
    precision: str
    corrected: str


@dataclass(frozen=True)
class SystemFindings:
    """One system and its findings."""

    system: SystemItem
    rows: list[FindingRow]


def build_findings_page(data: FindingList) -> str:
    """Return the page; everything of it is escaped."""
    kind = "object" if data.of_objects else "image"
    return render_app_page(
        "findings.html",
        name=data.name,
        title="Findings",
        here="/",
        data=data,
        samples=write_samples(data.samples, kind=kind),
        systems=[
            SystemFindings(
                one, [view_finding(f, one) for f in data.findings if f.system == one.name]
            )
            for one in data.systems
        ],
    )


def view_finding(finding: FindingItem, system: SystemItem) -> FindingRow:
    """Write one finding."""
    words = make_words(system)
    assert words is not None  # noqa: S101 - there is a system
    bounds = [finding.difference_low, finding.difference_high]
    corrected = finding.corrected_error
    held_out = ""
    if finding.holdout_n is not None:
        held_out = (
            f"{words.write_value(finding.holdout_error)} of {format_count(finding.holdout_n)}, "
            f"p {format_probability(finding.holdout_p)}"
        )
    return FindingRow(
        rank=finding.rank,
        address=address_finding(finding.rank, finding.system),
        samples=address_samples(where=finding.where, system=finding.system),
        predicates=[{"attribute": p.attribute, "value": p.value} for p in finding.predicates],
        state=finding.state,
        n=format_count(finding.n),
        error=words.write_value(finding.error),
        rest=words.write_value(finding.rest_error),
        difference=words.write_difference(finding.difference),
        interval=" to ".join(words.write_bound(one) for one in bounds if one is not None),
        q=format_probability(finding.q),
        held_out=held_out,
        precision=""
        if finding.label_precision is None
        else format_percent(finding.label_precision),
        corrected="" if corrected is None else words.write_value(corrected),
    )
