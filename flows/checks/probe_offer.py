"""What a probe would bring, said at the end of a session of checks."""

from collections.abc import Iterator

from flows.run.loaded_models import LoadEncoder, load_open_clip
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.judging.auto_margins import read_margin_truth
from flows.stages.labellers import make_prompted
from flows.stages.probes import list_teachable, read_known_values, train_probe
from pipeline.labels.probes.probe_notes import describe_comparison
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store


def propose_probe(
    resolved: ResolvedAudit, store: Store, *, load: LoadEncoder = load_open_clip
) -> str | None:
    """Say which attributes a probe, trained on what was checked so far, would label better.

    Compared is with the labels by prompts. None where no probe is shown to be better, where labels
    are of such a probe already, or where the audit wants none: `weakspot label` then changes
    nothing. Nothing is embedded. Raises StoreError when nothing is labelled.
    """
    use = resolved.audit.attributes
    manifest = LabelManifest.read(store.folder)
    names = list_teachable(use, store, truth=manifest.truth)
    if not names or use.probe_from == "truth":
        return None
    offers = list(_list_offers(resolved, store, manifest, names, load))
    if not offers:
        return None
    end = "`weakspot label` labels with it" if len(offers) == 1 else "`weakspot label` uses them"
    return f"A probe agrees better with your checks: {'; '.join(offers)}. {end}."


def _list_offers(
    resolved: ResolvedAudit,
    store: Store,
    manifest: LabelManifest,
    names: set[str],
    load: LoadEncoder,
) -> Iterator[str]:
    """Yield what a probe of each attribute brings, where it is new and better."""
    use = resolved.audit.attributes
    sample_set = read_sample_set(store)
    margin_truth = read_margin_truth(resolved.attributes, store, manifest.truth)
    prompted, _ = make_prompted(resolved, sample_set.samples, store, known=margin_truth, load=load)
    for name in sorted(names & set(prompted)):
        labeller = prompted[name]
        rival = store.read_labels([labeller.label_id])
        known = read_known_values(use, rival, store, truth=manifest.truth)
        own = known.filter(attribute=name)
        if own.is_empty():
            continue
        trained = train_probe(labeller, own, rival, sample_set, store, groups=use.probe_groups)
        if trained.labeller is None or trained.comparison is None:
            continue
        in_use = manifest.by_name[name].label_id if name in manifest.by_name else None
        if trained.comparison.is_better and trained.labeller.label_id != in_use:
            count = trained.labeller.probe.examples
            yield f"{name}: {count} checks, {describe_comparison(trained.comparison)}"
