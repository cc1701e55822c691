"""What the report shows of the encoder: what was measured, of the labels as they are now."""

import polars as pl

from pipeline.tables import FLIPS, PROBES, TRUST, empty
from pipeline.workspace.kept.kept_trust import find_attack, find_bias, find_verdicts
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store
from reports.trust_models import TrustReport


def report_trust(store: Store) -> TrustReport | None:
    """Return verdicts, probes and flips, None where nothing was measured or all of it is old."""
    verdicts, bias = find_verdicts(store), find_bias(store)
    flips = _find_flips(store)
    if verdicts is None and bias is None and flips is None:
        return None
    return TrustReport(
        trust=empty(TRUST) if verdicts is None else verdicts,
        probes=empty(PROBES) if bias is None else bias[1],
        flips=empty(FLIPS) if flips is None else flips,
        probed="" if bias is None else bias[0].attribute,
        adjust=() if bias is None else bias[0].adjust,
        probe_notes=() if bias is None else bias[0].notes,
    )


def _find_flips(store: Store) -> pl.DataFrame | None:
    """Return the flips of attributes whose labels are as they were."""
    found = find_attack(store)
    if found is None:
        return None
    made, flips = found
    now = {one.name: one.label_id for one in LabelManifest.read(store.folder).attributes}
    same = [name for name, label_id in made.labels.items() if now.get(name) == label_id]
    kept = flips.filter(pl.col("attribute").is_in(same))
    return None if kept.is_empty() else kept
