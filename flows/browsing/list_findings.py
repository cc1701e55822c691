"""The findings of the last search, each with the condition that selects its samples."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.browsing.browser import Browser
from flows.browsing.list_samples import describe_system
from flows.browsing.snapshots.snapshot import Snapshot
from pipeline.browsing.choice_evidence import keep_finite
from pipeline.exceptions import NotFoundError
from reports.browse_models import FindingItem, FindingList, Predicate
from reports.parts.words import write_predicates


def list_findings(browser: Browser) -> FindingList:
    """Return the findings of every system."""
    card = browser.snapshot.card
    systems = [describe_system(one) for one in card.systems]
    return FindingList(
        snapshot_id=card.snapshot_id,
        name=card.name,
        run_id=card.searched,
        finished_at=card.finished_at,
        samples=browser.snapshot.samples.height,
        of_objects=card.of_objects,
        limit=card.limit,
        systems=[one for one in systems if one is not None],
        findings=[_describe(row, browser.snapshot) for row in browser.snapshot.findings.to_dicts()],
        stale=list(card.stale),
    )


def find_finding(browser: Browser, rank: int, system: str | None) -> FindingItem:
    """Return one finding of a system, of the first one without a name.

    Raises NotFoundError where it is not there.
    """
    named = browser.snapshot.find_system(system)
    own = [one for one in list_findings(browser).findings if named and one.system == named.name]
    found = next((one for one in own if one.rank == rank), None)
    if found is None:
        ranks = f"it has findings 1 to {len(own)}" if own else "it has none"
        raise NotFoundError(f"there is no finding {rank} of {named.name if named else 'a system'}; "
                          f"{ranks}")  # fmt: skip
    return found


def write_where(
    predicates: Sequence[Mapping[str, str]], snapshot: Snapshot, *, labelled: bool = False
) -> str:
    """Write predicates as the condition that selects their samples.

    labelled: by the labels, also where the last search took true values.
    """
    prefix = "truth." if snapshot.card.label_source == "truth" and not labelled else ""
    named = [
        {**one, "attribute": f"{prefix}{one['attribute']}"}
        if f"{prefix}{one['attribute']}" in snapshot.samples.columns
        else dict(one)
        for one in predicates
    ]
    return "" if not named else write_predicates(named)


def _describe(row: Mapping[str, Any], snapshot: Snapshot) -> FindingItem:
    predicates = row["predicates"] or []
    return FindingItem(
        system=row["system"],
        rank=row["rank"],
        predicates=[Predicate(one["attribute"], one["value"]) for one in predicates],
        where=write_where(predicates, snapshot),
        state=row["state"],
        n=row["n"],
        error=keep_finite(row["error"]),
        rest_error=keep_finite(row["rest_error"]),
        difference=keep_finite(row["difference"]),
        difference_low=keep_finite(row["ci_low"]),
        difference_high=keep_finite(row["ci_high"]),
        q=keep_finite(row["q"]),
        holdout_n=row["holdout_n"],
        holdout_error=keep_finite(row["holdout_error"]),
        holdout_p=keep_finite(row["holdout_p"]),
        label_precision=keep_finite(row["label_precision"]),
        corrected_error=keep_finite(row["corrected_error"]),
        corrected_low=keep_finite(row["corrected_low"]),
        corrected_high=keep_finite(row["corrected_high"]),
        folded=row["folded_count"],
    )
