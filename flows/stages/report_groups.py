"""What the page shows of groups and of the domain, read from the workspace."""

from typing import Any

import polars as pl

from flows.run.asked_names import list_sensitive
from flows.run.logs import LOG
from flows.stages.fairness import hash_asked
from pipeline.config.audit import Audit
from pipeline.exceptions import StoreError
from pipeline.tables import DISPARITIES, GAPS, VERDICTS
from pipeline.workspace.store import Store
from reports.models import DomainReport, FairnessReport


def report_fairness(
    audit: Audit, store: Store, *, inputs: dict[str, Any]
) -> tuple[FairnessReport, ...]:
    """Return the gaps last measured, by system and source of labels.

    inputs: as `note_inputs` tells them now. Nothing when gaps were not measured, or were of other
    labels, errors or gates than are there now.
    """
    if not list_sensitive(audit):
        return ()
    try:
        made = store.read_manifest("fairness")
    except StoreError as error:
        LOG.warning("groups are not on the page: %s", error)
        return ()
    if made.get("inputs") != inputs or made.get("asked") != hash_asked(audit):
        LOG.warning("groups were compared before something changed; run `weakspot fairness`")
        return ()
    entries = {entry["name"]: entry for entry in store.read_manifest("label")["attributes"]}
    frames = {
        name: store.read_result(made["run_id"], name)
        for name in ("gaps", "disparities", "verdicts")
    }
    metrics = {system.name: system.error for system in audit.systems}
    return tuple(
        FairnessReport(
            system=seen["system"],
            labels=seen["labels"],
            metric=metrics[seen["system"]],
            gaps=_take(frames["gaps"], seen).select(list(GAPS)),
            disparities=_take(frames["disparities"], seen).select(list(DISPARITIES)),
            verdicts=(
                None
                if frames["verdicts"] is None
                else _take(frames["verdicts"], seen).select(list(VERDICTS))
            ),
            gates=None if audit.gates is None else audit.gates.model_dump(),
            adjust_for=tuple(seen["adjust_for"]),
            attributes=tuple(seen["attributes"]),
            notes=tuple(seen["notes"]),
            perceived=any(entries.get(n, {}).get("sensitive") for n in seen["attributes"]),
        )
        for seen in made["compared"]
        if seen["system"] in metrics
    )


def report_domain(search: dict[str, Any], store: Store, run_id: str) -> DomainReport | None:
    """Return which situations the searched samples hold; None when a run did not count them."""
    seen = search.get("domain")
    names = ("combinations", "pairs", "collection")
    frames = [store.read_result(run_id, name) for name in names]
    if not seen or any(frame is None for frame in frames):
        return None
    combinations, pairs, collection = (f.drop("run_id") for f in frames if f is not None)
    return DomainReport(
        attributes=tuple(seen["attributes"]),
        level=seen["level"],
        min_samples=seen["min_samples"],
        combinations=combinations,
        pairs=pairs,
        collect_next=collection,
    )


def _take(frame: pl.DataFrame | None, seen: dict[str, Any]) -> pl.DataFrame:
    if frame is None:
        raise StoreError("the gaps are gone from the workspace; run `weakspot fairness` again")
    own = (pl.col("system") == seen["system"]) & (pl.col("labels") == seen["labels"])
    return frame.filter(own)
