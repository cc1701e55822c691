"""What tuning reads of a workspace: vectors, captions and true values, in three parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.loaded_models import LoadEncoder
from flows.run.reading.audited_space import open_space
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_unlabelled
from flows.stages.labellers import encode_prompts, make_prompted
from flows.stages.probes import name_clusters
from pipeline.arrays import Floats, Ints, Mask
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.labels.labellers import PromptLabeller
from pipeline.labels.zero_shot import list_prompts
from pipeline.regions.region_words import TEMPLATE, list_words
from pipeline.tuning.head_training import Target
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

TRAIN, CHOOSE, JUDGE = 0, 1, 2  # parts: three fifths, one, one
_MOST = 20_000  # samples to choose by, and to judge by
_LEAST = 20  # known values of an attribute, in each part


@dataclass(frozen=True)
class TuningSet:
    """n samples with a vector.

    vectors: (n, d) unit length, by the audit's encoder. groups: (n,) identities or images. parts:
    (n,) TRAIN, CHOOSE or JUDGE; all samples of a group are in one. targets, background: attributes
    by name. words: (m, d) unit vectors of many words and of the prompts of the other attributes.
    notes: on attributes that are left out.
    """

    vectors: NDArray[np.float32]
    groups: pl.Series
    parts: Ints
    targets: dict[str, Target]
    background: dict[str, Target]
    words: Floats
    logit_scale: float
    encoder_id: str
    notes: tuple[str, ...]


def read_tuning_set(
    resolved: ResolvedAudit, store: Store, *, targets: Sequence[str], load: LoadEncoder
) -> TuningSet:
    """Read what is known to be true, by [dataset.truth] or checks, of attributes with prompts.

    targets: the attributes to tune for; others with true values are the background. Only those of
    the samples that the audit judges: of objects in an audit of objects. Raises ConfigError for a
    target of which too little is known.
    """
    refuse_unlabelled(resolved, store)
    manifest = LabelManifest.read(store.folder)
    known = read_known_truth(store, manifest)
    labellers, _ = make_prompted(resolved, store.read_samples(), store, known=known, load=load)
    scope = "object" if resolved.of_objects else "image"
    own = {name: one for name, one in labellers.items() if one.attribute.applies_to == scope}
    absent = [name for name in targets if name not in own]
    if absent:
        raise ConfigError(
            f"--target {absent[0]}: no attribute of {scope}s with prompts; "
            f"{nearest(absent[0], own)}"
        )
    space = open_space(resolved, store)
    sample_ids = space.samples["sample_id"]
    groups = name_clusters(
        sample_ids, read_sample_set(store), groups=resolved.audit.attributes.probe_groups
    )
    parts = split_groups(groups)
    kept = _bound_parts(parts)
    vectors, parts = space.read_unit_vectors()[kept], parts[kept]
    sample_ids, groups = sample_ids.gather(kept), groups.gather(kept)
    made, notes = {}, []
    for name, labeller in own.items():
        target = _make_target(labeller, known, sample_ids, store)
        if problem := _find_lack(target, parts, labeller):
            if name in targets:
                raise ConfigError(f"--target {name}: {problem}; check more labels")
            notes.append(f"{name}: {problem}; it is left out of the background")
            continue
        made[name] = target
    return TuningSet(
        vectors=vectors,
        groups=groups,
        parts=parts,
        targets={name: made[name] for name in targets},
        background={name: one for name, one in made.items() if name not in targets},
        words=_encode_words(resolved, store, space.encoder_id, targets, load=load),
        logit_scale=next(iter(own.values())).prototypes.logit_scale,
        encoder_id=space.encoder_id,
        notes=tuple(notes),
    )


def split_groups(groups: pl.Series) -> Ints:
    """Return (n,) the part of each row: a hash of its group decides."""
    fifths = (groups.hash(seed=18) % 5).to_numpy().astype(np.int64)
    parts: Ints = np.where(fifths < 3, TRAIN, np.where(fifths == 3, CHOOSE, JUDGE))
    return parts


def _make_target(
    labeller: PromptLabeller, known: pl.DataFrame, sample_ids: pl.Series, store: Store
) -> Target:
    attribute = labeller.attribute
    values = list(attribute.values)
    texts = list_prompts(attribute)
    owners = [
        next(place for place, value in enumerate(values)
             if any(template.replace("{}", prompt) == text
                    for prompt in attribute.values[value] for template in attribute.templates))
        for text in texts
    ]  # fmt: skip
    captions = read_vectors(texts, store.prompts, encoder_id=labeller.encoder_id)
    true = known.filter(pl.col("attribute") == attribute.name).select("sample_id", "value")
    rows = pl.DataFrame({"sample_id": sample_ids}).join(
        true, on="sample_id", how="left", maintain_order="left"
    )
    codes = rows["value"].replace_strict(values, range(len(values)), default=-1,
                                         return_dtype=pl.Int64)  # fmt: skip
    return Target(
        captions.values.astype(np.float64),
        np.array(owners, np.int64),
        codes.fill_null(-1).to_numpy(),
    )


def _find_lack(target: Target, parts: Ints, labeller: PromptLabeller) -> str | None:
    """Say what is lacking of an attribute, None where it can be tuned for or judged."""
    for part, what in ((TRAIN, "to learn from"), (CHOOSE, "to choose by"), (JUDGE, "to judge by")):
        inside: Mask = (parts == part) & (target.classes >= 0)
        seen = np.unique(target.classes[inside])
        if inside.sum() < _LEAST or len(seen) < len(labeller.values):
            return (
                f"{int(inside.sum())} samples {what} with a known value, of {len(seen)} of "
                f"{len(labeller.values)} values; {_LEAST} of all values are needed"
            )
    return None


def _bound_parts(parts: Ints) -> Ints:
    """Return the rows that are used: all to learn from, and so many to choose and to judge by."""
    places = np.arange(len(parts))
    kept = [places[parts == TRAIN], *(places[parts == one][:_MOST] for one in (CHOOSE, JUDGE))]
    rows: Ints = np.sort(np.concatenate(kept))
    return rows


def _encode_words(
    resolved: ResolvedAudit,
    store: Store,
    encoder_id: str,
    targets: Sequence[str],
    *,
    load: LoadEncoder,
) -> Floats:
    """Return the vectors of the shipped words, and of the prompts of other attributes."""
    texts = [TEMPLATE.format(word) for word in list_words()]
    others = [one for one in resolved.attributes if one.kind == "prompts"]
    texts += [text for one in others if one.name not in targets for text in list_prompts(one)]
    texts = list(dict.fromkeys(texts))
    if resolved.audit.encoder is not None:
        encode_prompts(texts, encoder_id, resolved.audit.encoder, store, load)
    found: Floats = read_vectors(texts, store.prompts, encoder_id=encoder_id).values.astype(
        np.float64
    )
    return found
