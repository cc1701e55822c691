"""Systems that are the audit's own labels: their truth, and what each judged sample counts for."""

import polars as pl

from pipeline.arrays import Floats
from pipeline.config.audit import System
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import SearchError
from pipeline.labels.quality.judged_labels import weigh_inclusion
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store


def gather_judged(system: System, store: Store, samples: pl.DataFrame) -> pl.DataFrame:
    """Return sample_id, given, true, score, inclusion and draw of the samples whose truth is known.

    samples: the `samples` table. An object whose image carries the label has that of its image.
    Raises SearchError where the attribute is not labelled, or nothing is known to be true of it.
    """
    manifest = LabelManifest.read(store.folder)
    name = str(system.attribute)
    labelled = manifest.by_name.get(name)
    if labelled is None:
        where = f"system {system.name!r}: attribute {name!r}"
        raise SearchError(f"{where} is not labelled; run `weakspot label` first")
    known = read_known_truth(store, manifest).filter(pl.col("attribute") == name)
    if known.is_empty():
        raise SearchError(
            f"system {system.name!r}: nothing is known to be true of {name!r}; give its true "
            "values in [dataset.truth], or check labels with `weakspot check-labels`"
        )
    labels = store.read_labels([labelled.label_id]).select("sample_id", "score", given="value")
    both = known.select("sample_id", "inclusion", "draw", true="value").join(labels, on="sample_id")
    own = scored_samples(samples)
    by_image = labelled.applies_to == "image"
    key = pl.coalesce("parent_id", "sample_id") if by_image else pl.col("sample_id")
    rows = own.select("sample_id", key=key).join(
        both.rename({"sample_id": "key"}), on="key", maintain_order="left"
    )
    return rows.select("sample_id", "given", "true", "score", "inclusion", "draw")


def weigh_judged(system: System, store: Store, sample_ids: pl.Series) -> Floats | None:
    """Return (n,) 1 / inclusion of samples that were drawn to be checked, None of other systems.

    sample_ids: (n,) with an error of the system. None too where every sample was as likely.
    """
    if system.format != "labels":
        return None
    judged = gather_judged(system, store, store.read_samples()).select("sample_id", "inclusion")
    rows = pl.DataFrame({"sample_id": sample_ids}).join(
        judged, on="sample_id", how="left", maintain_order="left"
    )
    if rows["inclusion"].n_unique() < 2:
        return None
    return weigh_inclusion(rows["inclusion"])


def note_labels(system: System, store: Store) -> dict[str, str]:
    """Return the label_id of the labels that are judged, nothing of other systems."""
    if system.attribute is None:
        return {}
    return {"label_id": LabelManifest.read(store.folder).by_name[system.attribute].label_id}
