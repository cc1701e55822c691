"""Words that several rooms need, each written once: unknown, the level of evidence, states."""

from typing import Final

UNKNOWN: Final = "unknown"  # the value of a sample that no other value of an attribute fits
LEVEL: Final = 0.05  # of p and q, from which a difference may be an accident

# States of a finding.
CONFIRMED: Final = "confirmed"
LIKELY: Final = "likely"
INSUFFICIENT: Final = "insufficient evidence"  # also of gaps and of gates

# States of a gap between groups.
GAP: Final = "gap"
NO_GAP: Final = "no gap shown"

# Verdicts of a gate.
PASS: Final = "pass"  # noqa: S105 - a verdict, no password
FAIL: Final = "fail"
