"""Words that several rooms need, each written once: unknown, the level of evidence, states."""

from typing import Final

UNKNOWN: Final = "unknown"  # the value of a sample that no other value of an attribute fits
LEVEL: Final = 0.05  # of p and q, from which a difference may be an accident

CLUSTER: Final = "cluster"  # the attribute whose values are clusters, and their source

# States of a finding.
CONFIRMED: Final = "confirmed"
LIKELY: Final = "likely"
UNCLEAR: Final = "unclear: check labels"  # the corrected interval includes no difference
INSUFFICIENT: Final = "insufficient evidence"  # also of gaps and of gates

# States of a gap between groups.
GAP: Final = "gap"
NO_GAP: Final = "no gap shown"

# Verdicts of a gate.
PASS: Final = "pass"  # noqa: S105 - a verdict, no password
FAIL: Final = "fail"
NOT_JUDGED: Final = "not judged: labels unchecked"

MODELLED: Final = ("zero-shot", "probe")  # sources of labels that a model made, so may be wrong

# How wrong labels were corrected for: the column `correction`.
BOUNDS: Final = "bounds"  # an interval alone, without a number inside it
UNCORRECTED: Final = "none"  # labels of a model of which too little is known

# Answers of a person who checks a label.
RIGHT: Final = "right"
WRONG: Final = "wrong"
CANNOT_SAY: Final = "cannot say"
