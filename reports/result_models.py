"""What the pages of `weakspot serve` show of regions, groups, runs, attributes and the map."""

from dataclasses import dataclass

from reports.browse_models import Evidence, Predicate, SystemItem


@dataclass(frozen=True)
class RegionItem:
    """A weak region that the findings do not explain. typical, failing: sample_ids."""

    system: str
    rank: int
    n: int
    error: float | None
    expected_error: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    state: str
    holdout_error: float | None
    words: list[str]
    values: list[Predicate]
    typical: list[str]
    failing: list[str]


@dataclass(frozen=True)
class RegionList:
    """The weak regions that were searched last; run_id is empty where none were."""

    run_id: str
    regions: list[RegionItem]


@dataclass(frozen=True)
class GroupItem:
    """A metric of one group beside the rest. where: the condition that selects its samples."""

    system: str
    labels: str
    metric: str
    predicates: list[Predicate]
    where: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    rest_value: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    corrected_difference: float | None
    state: str | None
    gate: str | None


@dataclass(frozen=True)
class GroupList:
    """The comparison of groups that was made last. verdicts: of the gates, by system."""

    run_id: str
    verdicts: dict[str, str]
    notes: list[str]
    groups: list[GroupItem]


@dataclass(frozen=True)
class SearchedItem:
    """What a run searched of one system. findings: how many it listed."""

    system: str
    n: int
    error: float
    findings: int


@dataclass(frozen=True)
class RunItem:
    """One run. systems: none where it did not search."""

    run_id: str
    name: str
    started_at: str
    finished_at: str
    limit: int | None
    slices: int
    systems: list[SearchedItem]


@dataclass(frozen=True)
class RunList:
    """The runs of a workspace, the newest first."""

    runs: list[RunItem]


@dataclass(frozen=True)
class ChangeItem:
    """A slice in two runs: how its error and its gap to the rest changed."""

    predicates: list[Predicate]
    verdict: str
    n_before: int | None
    n_after: int | None
    error_before: float | None
    error_after: float | None
    gap_change: float | None
    gap_change_low: float | None
    gap_change_high: float | None
    p_holm: float | None


@dataclass(frozen=True)
class RunComparison:
    """Two runs slice by slice. change: of the mean error, with its 95 % interval."""

    before: str
    after: str
    shared_images: int
    error_before: float | None
    error_after: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
    changes: list[ChangeItem]


@dataclass(frozen=True)
class ValueItem:
    """One value of an attribute: how many samples have it, how the system does on them.

    prompts: of an attribute with prompts. precision, recall: of its labels, where measured.
    """

    value: str
    n: int
    where: str
    evidence: Evidence | None
    prompts: list[str]
    precision: float | None
    precision_low: float | None
    precision_high: float | None
    recall: float | None


@dataclass(frozen=True)
class AttributeItem:
    """One attribute. judged_by: truth or checks, null where its labels were not measured."""

    name: str
    kind: str
    source: str
    applies_to: str
    sensitive: bool
    file: str
    notes: list[str]
    judged_by: str | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    values: list[ValueItem]


@dataclass(frozen=True)
class AttributeList:
    """The attributes in use. system: whose errors are shown."""

    system: SystemItem | None
    attributes: list[AttributeItem]


@dataclass(frozen=True)
class MapPoint:
    """A sample on the map: x from the left and y from the top, as shares of the picture."""

    sample_id: str
    x: float
    y: float


@dataclass(frozen=True)
class MapSamples:
    """The samples nearest to a place of the map, nearest first."""

    snapshot_id: str
    points: list[MapPoint]
