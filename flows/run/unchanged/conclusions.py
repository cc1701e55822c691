"""The stages that conclude: search, comparison of groups, report; kept where nothing changed."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flows.run.logs import LOG
from flows.run.preflight import has_comparison
from flows.run.record import RunRecord, find_last_like, find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import Runner
from flows.run.unchanged.read_before import (
    Stage,
    find_kept,
    forget_stage,
    gather_inputs,
    gather_tables,
    note_finished,
)
from flows.stages.changes import forget_before, note_changes
from flows.stages.coverage import cover_domain
from flows.stages.fairness import compare_groups, read_gaps
from flows.stages.report import write_report
from flows.stages.reporting.history import keep_report, locate_page
from flows.stages.reporting.report_files import place_report
from flows.stages.search import find_slices
from pipeline.exceptions import StoreError
from pipeline.workspace.manifests import FairnessManifest, LabelManifest
from pipeline.workspace.store import Store
from reports.pages.site.links import INDEX


@dataclass(frozen=True)
class Concluding:
    """What the stages that conclude share.

    run: filled by them. may_keep: whether a stage that would come to what it came to last is left
    out.
    """

    run: RunRecord
    resolved: ResolvedAudit
    store: Store
    runner: Runner
    may_keep: bool

    @cached_property
    def tables(self) -> Mapping[str, str]:
        """Digests of the tables that all of them read, taken before the first of them."""
        return gather_tables(self.store)

    def keep(self, stage: Stage, inputs: Mapping[str, str], run_id: str | None) -> bool:
        """Return whether a stage's last result still holds, and note in the run that it does.

        inputs: as they are now. run_id: of the run whose result is read now, None without any.
        """
        kept = find_kept(stage, self.store, inputs, run_id=run_id) if self.may_keep else None
        if kept is not None:
            self.run.kept[stage] = kept.run_id
        return kept is not None

    def keeps_regions(self) -> bool:
        """Return whether the search was kept and its regions are there; [regions] is part of it."""
        kept = self.run.kept.get("find")
        return kept is not None and self.store.read_result(kept, "regions") is not None


def conclude_search(given: Concluding) -> None:
    """Search for slices and count which situations the samples hold, or keep the last search."""
    run, resolved, store, runner = given.run, given.resolved, given.store, given.runner
    inputs = gather_inputs(resolved, store, "find", given.tables)
    last = find_last_search(store)
    if last is not None and given.keep("find", inputs, last["run_id"]):
        run.counts["slices"] = int(json.loads(last["search"])["slices"])
        found = store.read("findings").filter(run_id=last["run_id"])
        runner.publish_findings(found.sort("system", "rank"))
        return
    forget_stage("find", store)
    searched = runner.run_stage(
        "find", find_slices, resolved, store, run.run_id, run_task=runner.run_task
    )
    domain = runner.run_stage(
        "coverage", cover_domain, resolved, store, run.run_id, searched.first_table
    )
    before = find_last_like(store, resolved.audit.name, run.limit)
    note_changes(store, run.run_id, before=before)
    run.search = searched.record.model_copy(update={"domain": domain})
    run.counts["slices"] = searched.record.slices
    run.encoder_id = LabelManifest.read(store.folder).encoder_id
    store.put_run(run.to_frame())
    note_finished("find", store, inputs, run_id=run.run_id)
    forget_before(store, before)
    runner.publish_findings(searched.findings)


def conclude_comparison(given: Concluding) -> None:
    """Compare groups and judge the gates, or keep the last comparison.

    The audit is without its gates where they judge nothing.
    """
    run, resolved, store, runner = given.run, given.resolved, given.store, given.runner
    if not has_comparison(resolved.audit, resolved.sensitive):
        return
    inputs = gather_inputs(resolved, store, "fairness", given.tables)
    last = None
    if given.may_keep:
        with suppress(StoreError):  # a broken one is made again
            last = FairnessManifest.find(store.folder)
    if last is not None and given.keep("fairness", inputs, last.run_id):
        run.gates = last.verdicts
        for name, verdict in run.gates.items():
            LOG.info("%s: gates: %s", name, verdict)
    else:
        forget_stage("fairness", store)
        run.gates = runner.run_stage(
            "fairness", compare_groups, resolved, store, run.run_id, run_task=runner.run_task
        )
        note_finished("fairness", store, inputs, run_id=run.run_id)
    runner.publish_gaps(read_gaps(store, run.get_result_id("fairness")))
    runner.publish_gates(run.gates)


def conclude_report(given: Concluding, *, single_file: bool = False) -> str:
    """Write the report, or keep the last one; return where it is.

    single_file: write one page with everything beside the report.
    """
    run, resolved, store, runner = given.run, given.resolved, given.store, given.runner
    last = find_last_search(store)
    if last is None or single_file:  # without a search the stage says so
        written = runner.run_stage("report", write_report, resolved, store, single_file=single_file)
        runner.publish_report(locate_page(resolved.audit.report, Path(written)))
        return written
    inputs = gather_inputs(resolved, store, "report", given.tables)
    if given.keep("report", inputs, last["run_id"]):
        page = place_report(resolved.audit.report, run.limit) / INDEX
        LOG.info("report: %s", page)
    else:
        forget_stage("report", store)
        page = Path(runner.run_stage("report", write_report, resolved, store))
        pages = [page, *keep_report(resolved, store, page)]
        note_finished("report", store, inputs, run_id=last["run_id"], pages=pages)
    runner.publish_report(locate_page(resolved.audit.report, page))
    return str(page)
