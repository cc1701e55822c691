"""What the pages of `weakspot serve` show of what was saved and answered."""

from dataclasses import dataclass
from typing import Literal

from reports.browse_models import Evidence, SystemItem


@dataclass(frozen=True)
class SelectionItem:
    """A slice or an attribute that was saved. evidence, held_out: of a slice, as of now."""

    name: str
    saved_as: Literal["slice", "attribute"]
    n: int
    where: str
    text: str
    without: str
    like: str
    picked: int
    file: str | None
    saved_at: str
    system: SystemItem | None = None
    evidence: Evidence | None = None
    held_out: Evidence | None = None
    problem: str = ""


@dataclass(frozen=True)
class SelectionList:
    """What was saved, the newest first."""

    selections: list[SelectionItem]


@dataclass(frozen=True)
class CheckItem:
    """An answer to one label that was kept. value: what is true, null where that is not known."""

    sample_id: str
    attribute: str
    shown: str | None
    answer: str
    value: str | None
    checker: str


@dataclass(frozen=True)
class Undone:
    """What was taken back, in words; empty where there was nothing."""

    undone: str
