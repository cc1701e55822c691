"""What the command prints of labels that should be checked."""

from collections.abc import Mapping
from typing import Any

from flows.run.summary import Summary
from pipeline.vocabulary import UNCLEAR, UNCORRECTED
from reports.parts.words import enumerate_words, write_checks, write_predicates


def advise_checks(summary: Summary) -> list[str]:
    """Return what to check of the labels of findings: one line an unclear finding, one for others.

    The others are findings of whose labels nothing is known.
    """
    several = len({finding.get("system") for finding in summary.findings}) > 1
    lines = [
        _advise_finding(finding, summary.audit, several=several)
        for finding in summary.findings
        if finding["state"] == UNCLEAR
    ]
    unchecked = [one for one in summary.findings if one.get("correction") == UNCORRECTED]
    if unchecked:
        slices = enumerate_words([write_predicates(one["predicates"]) for one in unchecked])
        lines.append(
            f"labels unchecked: {slices}: found as labelled, which need not be so: weakspot "
            f"check-labels {summary.audit}"
        )
    return lines


def advise_gates(summary: Summary) -> str:
    """Return what to do where gates did not judge."""
    return (
        "gates do not judge by labels of a model that nothing was compared with: weakspot "
        f'check-labels {summary.audit}, or [gates] unchecked_labels = "judge"'
    )


def _advise_finding(finding: Mapping[str, Any], audit: str, *, several: bool) -> str:
    needed = write_checks(finding["checks_needed"] or ())
    settles = f"; about {needed} would settle it" if needed else ""
    system = f' --system "{finding["system"]}"' if several else ""
    return (
        f"{write_predicates(finding['predicates'])}: wrong labels leave open whether it does worse"
        f"{settles}: weakspot check-labels {audit} --finding {finding['rank']}{system}"
    )
