"""What the pages of `weakspot serve` show, and what its API answers: one value for both."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Predicate:
    """One attribute = value."""

    attribute: str
    value: str


@dataclass(frozen=True)
class Evidence:
    """The mean error of some samples beside that of all others, with 95 % intervals.

    n: those with an error; missing: those without. Null where a number is not known.
    """

    n: int
    missing: int
    rest_n: int
    error: float | None
    error_low: float | None
    error_high: float | None
    rest_error: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None


@dataclass(frozen=True)
class Box:
    """A box in pixels of the upright image."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class SampleItem:
    """One sample in a list. error: of the system that was asked for."""

    sample_id: str
    path: str
    category: str | None
    split: str | None
    box: Box | None
    error: float | None
    similarity: float | None
    labels: dict[str, str | None]


@dataclass(frozen=True)
class SystemItem:
    """One system. share: whether its errors lie within 0 and 1."""

    name: str
    metric: str
    share: bool


@dataclass(frozen=True)
class SamplePage:
    """Some samples in an order, with the evidence of all that fit.

    where, sort, text, without, like: what was asked for. next: the cursor of the next page, null on
    the last. total: how many samples fit. held_out: the evidence of those that the search for
    findings has not seen, null where it held none out. notes: what to know of these numbers.
    """

    snapshot_id: str
    where: str
    sort: str
    text: str
    without: str
    like: str
    system: SystemItem | None
    total: int
    samples: int
    items: list[SampleItem]
    next: str | None
    evidence: Evidence | None
    held_out: Evidence | None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LabelItem:
    """A label of one sample. truth: its true value where that is known."""

    attribute: str
    value: str | None
    score: float | None
    margin: float | None
    truth: str | None
    source: str


@dataclass(frozen=True)
class ShownBox:
    """A box on the whole image: kind found, missed, false or true; role truth or detection."""

    kind: Literal["found", "missed", "false", "true"]
    role: Literal["truth", "detection"]
    box: Box
    category: str
    score: float | None
    iou: float | None
    focus: bool


@dataclass(frozen=True)
class SampleDetail:
    """All that is known of one sample.

    width, height: of the whole image, in pixels. errors: by system. boxes: on the whole image, by
    the system that was asked for. neighbors: the most similar samples. findings: ranks of the
    findings of that system that it is in.
    """

    snapshot_id: str
    sample_id: str
    parent_id: str | None
    path: str
    category: str | None
    split: str | None
    box: Box | None
    width: int | None
    height: int | None
    system: SystemItem | None
    errors: dict[str, float | None]
    measures: dict[str, float | None]
    labels: list[LabelItem]
    boxes: list[ShownBox]
    neighbors: list[SampleItem]
    findings: list[int]


@dataclass(frozen=True)
class FindingItem:
    """A finding of the last search. where: the condition that selects its samples."""

    system: str
    rank: int
    predicates: list[Predicate]
    where: str
    state: str
    n: int
    error: float | None
    rest_error: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    q: float | None
    holdout_n: int | None
    holdout_error: float | None
    holdout_p: float | None
    label_precision: float | None
    corrected_error: float | None
    corrected_low: float | None
    corrected_high: float | None
    folded: int | None


@dataclass(frozen=True)
class FindingList:
    """The findings of the last search, by system and rank.

    run_id: of the run that searched, empty without one. stale: in words, what is no longer as that
    search read it.
    """

    snapshot_id: str
    name: str
    run_id: str
    finished_at: str
    samples: int
    of_objects: bool
    limit: int | None
    systems: list[SystemItem]
    findings: list[FindingItem]
    stale: list[str]


@dataclass(frozen=True)
class Problem:
    """What went wrong (RFC 9457). position: of a fault in a condition, counted from 0."""

    type: str
    title: str
    status: int
    detail: str
    position: int | None = None
