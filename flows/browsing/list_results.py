"""What runs left in a workspace beside findings: regions, groups, and the runs themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from flows.browsing.browser import Browser
from flows.browsing.list_findings import write_where
from flows.run.reading.compared_runs import read_stored_run
from pipeline.browsing.choice_evidence import keep_finite
from pipeline.comparison.changes import compare_all, compare_slices
from pipeline.exceptions import NotFoundError
from pipeline.workspace.database_copy import copy_database
from pipeline.workspace.manifests import FairnessManifest, SearchRecord
from reports.browse_models import Predicate
from reports.result_models import (
    ChangeItem,
    GroupItem,
    GroupList,
    RegionItem,
    RegionList,
    RunComparison,
    RunItem,
    RunList,
    SearchedItem,
)

Row = Mapping[str, Any]


def list_regions(browser: Browser) -> RegionList:
    """Return the weak regions that were searched last, by system and rank."""
    regions = browser.store.read("regions")
    if regions.is_empty():
        return RegionList("", [])
    run_id = str(regions["run_id"].max())
    own = regions.filter(pl.col("run_id") == run_id).sort("system", "rank")
    return RegionList(run_id, [_describe_region(row) for row in own.to_dicts()])


def list_groups(browser: Browser) -> GroupList:
    """Return the comparison of groups that was made last, with what the gates say."""
    made = FairnessManifest.find(browser.store.folder)
    gaps = None if made is None else browser.store.read_result(made.run_id, "gaps")
    if made is None or gaps is None:
        return GroupList("", {}, [], [])
    verdicts = browser.store.read_result(made.run_id, "verdicts")
    gates = {} if verdicts is None else {
        (row["system"], row["labels"], _key(row["predicates"])): row["verdict"]
        for row in verdicts.to_dicts()
    }  # fmt: skip
    notes = list(dict.fromkeys(note for one in made.compared for note in one.notes))
    return GroupList(
        made.run_id,
        dict(made.verdicts),
        notes,
        [_describe_group(row, gates, browser) for row in gaps.to_dicts()],
    )


def list_runs(browser: Browser) -> RunList:
    """Return the runs of the workspace, the newest first."""
    found = browser.snapshot.all_findings.group_by("run_id", "system").len()
    counts = {(run_id, system): n for run_id, system, n in found.iter_rows()}
    rows = browser.snapshot.runs.reverse().to_dicts()
    return RunList([_describe_run(row, counts) for row in rows])


def compare_runs(
    browser: Browser, before: str, after: str, *, system: str | None, after_system: str | None
) -> RunComparison:
    """Compare two runs slice by slice, as `weakspot compare` does.

    before, after: run_ids, or how they begin; empty for the last one. Raises ConfigError for a run
    or system that is not there, StoreError where what it searched is gone.
    """
    runs = browser.snapshot.runs.filter(pl.col("search") != "")
    if runs.is_empty():
        raise NotFoundError("no run has searched here yet")
    with copy_database(browser.store) as copy:
        sides = (
            read_stored_run(copy, before, system=system, reference=before or "the last run"),
            read_stored_run(
                copy, after, system=after_system or system, reference=after or "the last run"
            ),
        )
    overall = compare_all(sides[0].rows, sides[1].rows)
    changes = compare_slices(sides[0].rows, sides[1].rows)
    return RunComparison(
        before=f"{sides[0].run_id}, {sides[0].system}",
        after=f"{sides[1].run_id}, {sides[1].system}",
        shared_images=overall.shared_images,
        error_before=keep_finite(overall.moments.before),
        error_after=keep_finite(overall.moments.after),
        change=keep_finite(overall.moments.change),
        change_low=keep_finite(overall.low),
        change_high=keep_finite(overall.high),
        changes=[_describe_change(row) for row in changes.to_dicts()],
    )


def _describe_region(row: Row) -> RegionItem:
    return RegionItem(
        system=row["system"],
        rank=row["rank"],
        n=row["n"],
        error=keep_finite(row["error"]),
        expected_error=keep_finite(row["expected_error"]),
        difference=keep_finite(row["difference"]),
        difference_low=keep_finite(row["ci_low"]),
        difference_high=keep_finite(row["ci_high"]),
        state=row["state"],
        holdout_error=keep_finite(row["holdout_error"]),
        words=[one["word"] for one in row["words"] or []],
        values=list_predicates(row["values"] or []),
        typical=list(row["typical"] or []),
        failing=list(row["failing"] or []),
    )


def _describe_group(
    row: Row, gates: Mapping[tuple[str, str, str], str], browser: Browser
) -> GroupItem:
    prefix = "truth." if row["labels"] == "truth" else ""
    named = [{**one, "attribute": f"{prefix}{one['attribute']}"} for one in row["predicates"]]
    return GroupItem(
        system=row["system"],
        labels=row["labels"],
        metric=row["metric"],
        predicates=list_predicates(row["predicates"]),
        where=write_where(named, browser.snapshot),
        n=row["n"],
        value=keep_finite(row["value"]),
        low=keep_finite(row["ci_low"]),
        high=keep_finite(row["ci_high"]),
        rest_value=keep_finite(row["rest_value"]),
        difference=keep_finite(row["difference"]),
        difference_low=keep_finite(row["difference_low"]),
        difference_high=keep_finite(row["difference_high"]),
        corrected_difference=keep_finite(row["corrected_difference"]),
        state=row["state"],
        gate=gates.get((row["system"], row["labels"], _key(row["predicates"])))
        if row["metric"] == "error"
        else None,
    )


def _describe_run(row: Row, counts: Mapping[tuple[str, str], int]) -> RunItem:
    systems, slices = [], 0
    if row["search"]:
        search = SearchRecord.from_json(row["search"], source=f"run {row['run_id']}")
        slices = search.slices
        systems = [
            SearchedItem(name, one.n, one.error, counts.get((row["run_id"], name), 0))
            for name, one in search.systems.items()
        ]
    return RunItem(
        run_id=row["run_id"],
        name=row["name"],
        started_at=row["started_at"],
        finished_at=row["finished_at"] or "",
        limit=row["sample_limit"],
        slices=slices,
        systems=systems,
    )


def _describe_change(row: Row) -> ChangeItem:
    return ChangeItem(
        predicates=list_predicates(row["predicates"]),
        verdict=row["verdict"],
        n_before=row["n_before"],
        n_after=row["n_after"],
        error_before=keep_finite(row["error_before"]),
        error_after=keep_finite(row["error_after"]),
        gap_change=keep_finite(row["gap_change"]),
        gap_change_low=keep_finite(row["gap_change_low"]),
        gap_change_high=keep_finite(row["gap_change_high"]),
        p_holm=keep_finite(row["p_holm"]),
    )


def list_predicates(rows: Sequence[Row]) -> list[Predicate]:
    """Return rows of attribute and value as answers have them."""
    return [Predicate(one["attribute"], one["value"]) for one in rows]


def _key(predicates: Sequence[Row]) -> str:
    return repr([(one["attribute"], one["value"]) for one in predicates])
