"""Words written into the pictures of an audit: which attributes read them, and what helps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageOps

from flows.retrieval.encode_query import QueryEncoder, read_config
from flows.retrieval.search_session import SearchSession, keep_access, open_search
from flows.run.loaded_models import LoadEncoder, get_encoder, load_once, load_open_clip
from flows.run.logs import LOG
from flows.run.masked_images import masks_text
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_unlabelled
from pipeline.arrays import Floats, Ints, Vectors
from pipeline.attacks.attack import Attacked, Encode, Label, attack_pictures
from pipeline.attacks.flips import Attempts, measure_flips
from pipeline.attacks.written_words import fit, name_value
from pipeline.config.dataset import CropRule
from pipeline.embeddings.card import Encoder
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.images.crop import crop_image
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.images.fill_text import fill_boxes
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.given import select_targets
from pipeline.labels.probes.held_out import train_judged
from pipeline.labels.zero_shot import (
    Prototypes,
    choose_values,
    list_prompts,
    make_prototypes,
    weigh_values,
)
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.texts.reader import TextReader
from pipeline.workspace.kept.kept_trust import AttackManifest, put_trust
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.sample_vectors import read_sample_vectors

DEFENCES = ("mask", "mirror", "probe")


@dataclass(frozen=True)
class AttackOptions:
    """What is attacked.

    attributes: names; all with prompts when empty. areas: shares of the picture. samples: how many
    pictures. defences: of DEFENCES. masked: how many pictures the reader of text is tried on.
    """

    attributes: tuple[str, ...] = ()
    areas: tuple[float, ...] = (0.02, 0.05, 0.1)
    samples: int = 200
    defences: tuple[str, ...] = ()
    masked: int = 100
    seed: int = 0


@dataclass(frozen=True)
class AttackResult:
    """The table FLIPS and what it is of."""

    flips: pl.DataFrame
    manifest: AttackManifest


@dataclass(frozen=True)
class _Attack:
    """What all attributes are attacked with."""

    session: SearchSession
    encoder: Encoder
    queries: QueryEncoder
    options: AttackOptions
    crop: CropRule
    read: Callable[[], TextReader]
    known: pl.DataFrame
    masks: bool


def attack_labels(
    resolved: ResolvedAudit,
    options: AttackOptions,
    *,
    load: LoadEncoder = load_open_clip,
    read: Callable[[], TextReader] = load_reader,
) -> AttackResult:
    """Attack the attributes with prompts of an audit, and keep the table `flips`.

    Raises ConfigError for a name that is none of them and for a defence that is not known, and
    StoreError where nothing is embedded or labelled.
    """
    attributes = choose_attributes(resolved, options.attributes)
    if unknown := sorted(set(options.defences) - set(DEFENCES)):
        raise ConfigError(f"--defend {unknown[0]}: expected {', '.join(DEFENCES)}")
    audit = resolved.audit
    session = open_search(audit.workspace)
    refuse_unlabelled(resolved, session.store)
    manifest = LabelManifest.read(audit.workspace)
    with keep_access(audit.workspace), lock_workspace(audit.workspace):
        attack = _Attack(
            session, get_encoder(read_config(session.card), load), QueryEncoder(session, load),
            options, audit.dataset.crop, read, read_known_truth(session.store, manifest),
            masks_text(audit.encoder),
        )  # fmt: skip
        drawn: dict[str, tuple[pl.DataFrame, list[Image.Image]]] = {}
        attempts: list[Attempts] = []
        for attribute in attributes:
            kind = attribute.applies_to
            if kind not in drawn:
                drawn[kind] = _draw_pictures(attack, attribute)
            attempts += _attack(attack, attribute, *drawn[kind])
            LOG.info("attacked: %s", attribute.name)
        flips = measure_flips(attempts)
        made = AttackManifest(
            encoder_id=session.card.encoder_id,
            labels={a.name: manifest.by_name[a.name].label_id for a in attributes},
            samples=max((rows.height for rows, _ in drawn.values()), default=0),
            defences=options.defences,
            notes=session.notes,
        )
        put_trust(flips, session.store, table="flips")
        made.write(session.store.folder)
    return AttackResult(flips, made)


def choose_attributes(resolved: ResolvedAudit, names: Sequence[str]) -> list[Attribute]:
    """Return the attributes with prompts, or those of them that are named; raises ConfigError."""
    prompted = {a.name: a for a in resolved.attributes if a.kind == "prompts"}
    if not prompted:
        raise ConfigError("no attribute of the audit has prompts, so no label reads a picture")
    if unknown := [name for name in names if name not in prompted]:
        raise ConfigError(
            f"--attributes {unknown[0]}: no attribute with prompts; {nearest(unknown[0], prompted)}"
        )
    return [prompted[name] for name in names] if names else list(prompted.values())


def _draw_pictures(attack: _Attack, attribute: Attribute) -> tuple[pl.DataFrame, list[Image.Image]]:
    """Return samples at random and their pictures, as the encoder gets them but large enough."""
    targets = select_targets(attack.session.all_samples, attribute).sort("sample_id")
    order = np.random.default_rng(attack.options.seed).permutation(targets.height)
    rows: list[int] = []
    pictures: list[Image.Image] = []
    for place in order.tolist():
        if len(rows) == attack.options.samples:
            break
        row = targets.row(place, named=True)
        picture = _load(attack.session.root / row["path"], row, attack.crop)
        if picture is not None:
            rows.append(place)
            pictures.append(fit(picture))  # a few hundred are in memory at a time
    if not rows:
        raise ConfigError(f"{attack.session.root}: none of the images can be opened any more")
    return targets[rows], pictures


def _load(path: Path, row: dict[str, float | None], rule: CropRule) -> Image.Image | None:
    """Return the picture of a sample, None where it is gone or broken since it was embedded."""
    x, y, w, h = (row[name] for name in "xywh")
    try:
        image = load_image(path)
        if x is None or y is None or w is None or h is None:
            return image
        return crop_image(image, (x, y, w, h), rule)
    except ImageRejectedError:
        return None


def _attack(
    attack: _Attack, attribute: Attribute, samples: pl.DataFrame, pictures: list[Image.Image]
) -> list[Attempts]:
    prototypes = _make_prototypes(attack, attribute)
    labellers: dict[str, Label] = {"none": partial(_label, prototypes)}
    if "probe" in attack.options.defences:
        probe = _train_probe(attack, attribute, samples, prototypes)
        if probe is not None:
            labellers["probe"] = probe
    attacked = Attacked(
        attribute.name,
        tuple(name_value(value, attribute.values[value]) for value in prototypes.values),
        pictures,
        _read_truth(attack, attribute, samples, prototypes.values),
        samples.select(pl.coalesce("parent_id", "sample_id")).to_series(),
    )
    areas, seed = attack.options.areas, attack.options.seed
    encode: Encode = attack.encoder.encode_images
    if attack.masks:  # the encoder of the audit never sees text that can be read
        encode = partial(_encode_masked, attack)
    found = attack_pictures(attacked, encode, labellers, areas=areas, seed=seed)
    plain = found[0].clean
    for defence in attack.options.defences:
        if defence == "probe":
            continue
        n = min(attack.options.masked, len(pictures)) if defence == "mask" else len(pictures)
        part = Attacked(
            attacked.attribute, attacked.words, pictures[:n], attacked.truth[:n],
            attacked.clusters.head(n),
        )  # fmt: skip
        encode = partial(_encode_masked if defence == "mask" else _encode_mirrored, attack)
        found += attack_pictures(
            part, encode, {defence: labellers["none"]}, areas=areas, plain=plain[:n], seed=seed
        )
    return found


def _make_prototypes(attack: _Attack, attribute: Attribute) -> Prototypes:
    prompts = list_prompts(attribute)
    made = attack.queries.encode_texts(prompts)
    vectors = Vectors(pl.Series(prompts), made, attack.session.card.encoder_id)
    return make_prototypes(attribute, vectors, logit_scale=attack.session.card.logit_scale)


def _label(prototypes: Prototypes, vectors: Floats) -> Ints:
    """Return (k,) the most probable values, whatever their margin."""
    ids = pl.Series(range(len(vectors))).cast(pl.String)
    own = Vectors(ids, vectors.astype(np.float32), prototypes.encoder_id)
    return choose_values(weigh_values(own, prototypes, sample_ids=ids))[0]


def _encode_mirrored(attack: _Attack, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Average the unit vectors of each picture and of its mirror image."""
    if attack.masks:
        pictures = _fill_texts(attack, pictures)
    both = attack.encoder.encode_images([*pictures, *map(ImageOps.mirror, pictures)])
    means = (both[: len(pictures)] + both[len(pictures) :]) / 2
    unit: NDArray[np.float32] = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


def _encode_masked(attack: _Attack, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
    """Encode pictures whose read text is filled from its surroundings."""
    return attack.encoder.encode_images(_fill_texts(attack, pictures))


def _fill_texts(attack: _Attack, pictures: Sequence[Image.Image]) -> list[Image.Image]:
    reader = load_once(attack.read)
    return [
        fill_boxes(picture, [(one.x, one.y, one.w, one.h) for one in reader.read(picture)])
        for picture in pictures
    ]


def _read_truth(
    attack: _Attack, attribute: Attribute, samples: pl.DataFrame, values: Sequence[str]
) -> Ints:
    """Return (n,) the true values as codes, -1 where none is known."""
    own = attack.known.filter(pl.col("attribute") == attribute.name)
    truth = samples.select("sample_id").join(
        own.select("sample_id", "value"), on="sample_id", how="left", maintain_order="left"
    )["value"]
    codes = truth.replace_strict(
        list(values), list(range(len(values))), default=-1, return_dtype=pl.Int64
    )
    return codes.fill_null(-1).to_numpy()


def _train_probe(
    attack: _Attack, attribute: Attribute, samples: pl.DataFrame, prototypes: Prototypes
) -> Label | None:
    """Train a linear probe on known values of other images; None where too few are known."""
    image = pl.coalesce("parent_id", "sample_id").alias("cluster_id")
    rows = attack.session.all_samples.drop("row").with_columns(image)
    used = samples.with_columns(image)
    known = attack.known.filter(pl.col("attribute") == attribute.name)
    known = rows.join(used, on="cluster_id", how="anti").join(known, on="sample_id", how="inner")
    vectors = read_sample_vectors(
        attack.session.store, known.sort("sample_id"), encoder_id=prototypes.encoder_id
    )
    columns = known.select("sample_id", "value", "inclusion", "cluster_id")
    trained = train_judged(columns, vectors, attribute=attribute, prototypes=prototypes)
    if trained is None:
        return None
    probe = trained.probe
    codes = np.array([prototypes.values.index(value) for value in probe.values])

    def label(pictured: Floats) -> Ints:
        ids = pl.Series([f"picture {number}" for number in range(len(pictured))])
        best: Ints = codes[probe.weigh(pictured, ids).argmax(axis=1)]
        return best

    return label
