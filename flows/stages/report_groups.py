"""What the page shows of groups and of the domain, read from the workspace."""

import polars as pl

from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import hash_comparison
from pipeline.exceptions import StoreError
from pipeline.tables import DISPARITIES, GAPS, VERDICTS
from pipeline.workspace.manifests import (
    ComparedGroups,
    CountedDomain,
    FairnessManifest,
    Inputs,
    LabelManifest,
)
from pipeline.workspace.store import Store
from reports.models import DomainReport, FairnessReport


def report_fairness(
    resolved: ResolvedAudit, store: Store, labels: LabelManifest, *, inputs: Inputs
) -> tuple[FairnessReport, ...]:
    """Return the gaps last measured, by system and source of labels.

    inputs: as `note_inputs` returns them now. Nothing when gaps were not measured, or were of other
    labels, errors or gates than are there now.
    """
    audit = resolved.audit
    if not resolved.sensitive:
        return ()
    try:
        made = FairnessManifest.read(store.folder)
    except StoreError as error:
        LOG.warning("groups are not on the page: %s", error)
        return ()
    if made.inputs != inputs or made.asked != hash_comparison(audit):
        LOG.warning("groups were compared before something changed; run `weakspot fairness`")
        return ()
    perceived = {one.name for one in labels.attributes if one.sensitive}
    frames = {
        name: store.read_result(made.run_id, name) for name in ("gaps", "disparities", "verdicts")
    }
    metrics = {system.name: system.error for system in audit.systems}
    return tuple(
        FairnessReport(
            system=one.system,
            labels=one.labels,
            metric=metrics[one.system],
            gaps=_take(frames["gaps"], one).select(list(GAPS)),
            disparities=_take(frames["disparities"], one).select(list(DISPARITIES)),
            verdicts=(
                None
                if frames["verdicts"] is None
                else _take(frames["verdicts"], one).select(list(VERDICTS))
            ),
            gates=None if audit.gates is None else audit.gates.model_dump(),
            adjust_for=one.adjust_for,
            attributes=one.attributes,
            notes=one.notes,
            perceived=not perceived.isdisjoint(one.attributes),
        )
        for one in made.compared
        if one.system in metrics
    )


def report_domain(domain: CountedDomain | None, store: Store, run_id: str) -> DomainReport | None:
    """Return which situations the searched samples hold; None when a run did not count them."""
    names = ("combinations", "pairs", "collection")
    frames = [store.read_result(run_id, name) for name in names]
    if domain is None or any(frame is None for frame in frames):
        return None
    combinations, pairs, collection = (f.drop("run_id") for f in frames if f is not None)
    return DomainReport(
        attributes=domain.attributes,
        level=domain.level,
        min_samples=domain.min_samples,
        combinations=combinations,
        pairs=pairs,
        collect_next=collection,
    )


def _take(frame: pl.DataFrame | None, compared: ComparedGroups) -> pl.DataFrame:
    if frame is None:
        raise StoreError("the gaps are gone from the workspace; run `weakspot fairness` again")
    own = (pl.col("system") == compared.system) & (pl.col("labels") == compared.labels)
    return frame.filter(own)
