"""What the report shows of the encoder: what was measured, of the labels as they are now."""

import polars as pl

from flows.run.resolved_audit import ResolvedAudit
from flows.stages.trusting.natural_text import find_text_facts
from pipeline.tables import FLIPS, PROBES, TRUST, empty
from pipeline.workspace.kept.kept_trust import find_attack, find_bias, find_verdicts
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store
from reports.trust_models import TrustReport


def report_trust(resolved: ResolvedAudit, store: Store) -> TrustReport | None:
    """Return verdicts, probes and flips, None where nothing was measured or all of it is old."""
    verdicts, bias = find_verdicts(store), find_bias(store)
    flips = _find_flips(store)
    if verdicts is None and bias is None and flips is None:
        return None
    facts = None if flips is None else find_text_facts(resolved)
    return TrustReport(
        trust=empty(TRUST) if verdicts is None else verdicts,
        probes=empty(PROBES) if bias is None else bias[1],
        flips=empty(FLIPS) if flips is None else flips,
        probed="" if bias is None else bias[0].attribute,
        adjust=() if bias is None else bias[0].adjust,
        probe_notes=() if bias is None else bias[0].notes,
        text_facts=() if facts is None else tuple(facts.to_lines(findings=False)),
        text_findings={}
        if facts is None
        else {(one.system, one.rank): one.to_words() for one in facts.findings},
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
