"""What the page shows of groups and of the domain, read from the workspace."""

import polars as pl

from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import hash_comparison
from pipeline.config.audit import Audit, Gates
from pipeline.exceptions import StoreError
from pipeline.fairness.verdicts import ALL
from pipeline.tables import DISPARITIES, GAPS, VERDICTS
from pipeline.workspace.manifests import (
    ComparedGroups,
    CountedDomain,
    FairnessManifest,
    Inputs,
    LabelManifest,
    SamplesManifest,
    ScoreManifest,
)
from pipeline.workspace.store import Store
from reports.models import DomainReport, ErrorGate, FairnessReport


def report_fairness(
    resolved: ResolvedAudit, store: Store, labels: LabelManifest, *, inputs: Inputs
) -> tuple[FairnessReport, ...]:
    """Return the gaps last measured, by system and source of labels.

    inputs: as `note_inputs` returns them now. Nothing when gaps were not measured, or were of other
    labels, errors or gates than are there now.
    """
    audit = resolved.audit
    made = _find_comparison(audit, store, inputs=inputs) if resolved.sensitive else None
    if made is None:
        return ()
    perceived = {one.name for one in labels.attributes if one.sensitive}
    frames = {
        name: store.read_result(made.run_id, name) for name in ("gaps", "disparities", "verdicts")
    }
    metrics = {system.name: system.error for system in audit.systems}
    scored = ScoreManifest.read(store.folder).systems
    return tuple(
        FairnessReport(
            system=one.system,
            labels=one.labels,
            metric=metrics[one.system],
            gaps=_take(frames["gaps"], one).select(list(GAPS)),
            disparities=_take(frames["disparities"], one).select(list(DISPARITIES)),
            verdicts=(
                None
                if frames["verdicts"] is None or _take_limits(audit.gates, one.system) is None
                else _take(frames["verdicts"], one).select(list(VERDICTS))
            ),
            gates=_take_limits(audit.gates, one.system),
            questionable=bool(scored[one.system].warnings),
            adjust_for=one.adjust_for,
            attributes=one.attributes,
            notes=one.notes,
            perceived=not perceived.isdisjoint(one.attributes),
        )
        for one in made.compared
        if one.system in metrics
    )


def report_error_gates(audit: Audit, store: Store, *, inputs: Inputs) -> dict[str, ErrorGate]:
    """Return the verdict on the mean error of each system that has such a gate.

    inputs: as for `report_fairness`; nothing where gates were not judged as they are now.
    """
    made = _find_comparison(audit, store, inputs=inputs)
    verdicts = None if made is None else store.read_result(made.run_id, "verdicts")
    if audit.gates is None or verdicts is None:
        return {}
    gates = {}
    for row in verdicts.filter(pl.col("labels") == ALL).to_dicts():
        limit = audit.gates.error_of(row["system"])
        if limit is not None:
            error = None if row["difference"] is None else row["difference"] + limit
            gates[row["system"]] = ErrorGate(row["verdict"], limit, error)
    return gates


def _take_limits(gates: Gates | None, system: str) -> dict[str, float] | None:
    """Return what the gates allow the groups of a system, None where they judge no groups."""
    max_gap = gates.gap_of(system) if gates else None
    if gates is None or max_gap is None:
        return None
    return {"max_gap": max_gap, "min_group": gates.min_group}


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


def _find_comparison(audit: Audit, store: Store, *, inputs: Inputs) -> FairnessManifest | None:
    """Return the comparison that was made last, None where it is not of what is there now."""
    try:
        made = FairnessManifest.read(store.folder)
    except StoreError as error:
        LOG.warning("groups are not on the page: %s", error)
        return None
    asked = {hash_comparison(audit)}
    if SamplesManifest.read(store.folder).limit is not None:  # gates judge these on request alone
        asked.add(hash_comparison(audit.model_copy(update={"gates": None})))
    if made.inputs != inputs or made.asked not in asked:
        LOG.warning("groups were compared before something changed; run `weakspot fairness`")
        return None
    return made


def _take(frame: pl.DataFrame | None, compared: ComparedGroups) -> pl.DataFrame:
    if frame is None:
        raise StoreError("the gaps are gone from the workspace; run `weakspot fairness` again")
    own = (pl.col("system") == compared.system) & (pl.col("labels") == compared.labels)
    return frame.filter(own)
