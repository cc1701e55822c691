"""How a gap and a gate are judged: the words, and the level that both take."""

from typing import Final

GAP: Final = "gap"
NO_GAP: Final = "no gap shown"
INSUFFICIENT: Final = "insufficient evidence"
PASS: Final = "pass"  # noqa: S105 - a verdict, no password
FAIL: Final = "fail"
LEVEL: Final = 0.05  # of q, from which a difference may be an accident
