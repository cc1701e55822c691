"""Demo worlds with weaknesses that no attribute names: errors are drawn from the truth.

A world is drawn, embedded and labelled once a seed and kept; errors of every kind of weakness are
then drawn for the same people.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.audit import execute_audit
from flows.run.runner import DirectRunner
from pipeline.arrays import Floats, Ints, Mask, Vectors
from pipeline.config.audit import EncoderConfig
from pipeline.demo.audit_files import SYSTEM, clear_demo, find_encoder, write_audit
from pipeline.demo.scene_truth import Group
from pipeline.demo.world import write_world
from pipeline.embeddings.encoder import load_encoder
from pipeline.labels.attribute_file import find_shipped, list_shipped, read_attribute
from pipeline.labels.zero_shot import label_samples, list_prompts, make_prototypes
from pipeline.regions.region_table import RegionRows, WordVectors
from pipeline.regions.region_words import TEMPLATE, list_words
from pipeline.workspace.label_columns import LabelColumn, list_columns, list_true_columns
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.sample_vectors import read_sample_vectors
from pipeline.workspace.store import Store

DONE = "labelled"  # a file that says that a world is whole


@dataclass(frozen=True)
class Weakness:
    """A group of people that a system fails on; the first of its attributes is left out."""

    name: str
    group: Group

    @property
    def left_out(self) -> str:
        """The attribute that the audit does not have."""
        return self.group[0][0]


WEAKNESSES = (
    Weakness("helmets at night", (("headwear", "helmet"), ("time", "night"))),
    Weakness("glasses on platforms", (("glasses", "yes"), ("place", "platform"))),
    Weakness("green clothes that walk", (("clothing", "green"), ("pose", "walking"))),
    Weakness("blurred pictures", (("focus", "blurred"),)),
)
NAMED: Group = (("age", "child"),)  # a weakness beside it that an attribute does name


@dataclass(frozen=True)
class RegionWorld:
    """The n people of a world. labels: as the demo's encoder gives them. truth: true values."""

    sample_ids: pl.Series
    image_ids: pl.Series
    vectors: NDArray[np.float32]
    labels: pl.DataFrame
    truth: pl.DataFrame
    encoder_id: str

    @property
    def images(self) -> Ints:
        """The image of each person, numbers from 0."""
        return self.image_ids.rank("dense").to_numpy().astype(np.int64) - 1

    def select(self, group: Group) -> Mask:
        """Return who is truly of a group."""
        inside = np.ones(len(self.vectors), np.bool_)
        for attribute, value in group:
            inside &= (self.truth[attribute] == value).to_numpy()
        return inside

    def split(self, parts: int) -> list["RegionWorld"]:
        """Return the worlds of every so-manieth image: images are drawn one by one, so they are."""
        rows = [np.flatnonzero(self.images % parts == part) for part in range(parts)]
        return [
            RegionWorld(
                self.sample_ids.gather(own),
                self.image_ids.gather(own),
                self.vectors[own],
                self.labels[own],
                self.truth[own],
                self.encoder_id,
            )
            for own in rows
        ]

    def gather(self, errors: Floats, left_out: str) -> RegionRows:
        """Return the rows to search, without one attribute."""
        return RegionRows(
            self.sample_ids, self.image_ids, self.vectors, errors, self.labels.drop(left_out)
        )


def prepare_world(folder: Path, *, seed: int, images: int, workers: int) -> Path:
    """Draw, embed and label a world in `folder`, unless it is there; return the folder."""
    if (folder / DONE).exists():
        return folder
    clear_demo(folder)
    world = write_world(folder / "world", images=images, seed=seed, workers=workers)
    (folder / "none.json").write_text("[]", encoding="utf-8")
    audit = write_audit(folder, world, systems={SYSTEM: "none.json"}, min_score=0.45)
    execute_audit(audit, DirectRunner(), stages=("embed", "label"))
    (folder / DONE).write_text("", encoding="utf-8")
    return folder


def read_region_world(folder: Path) -> RegionWorld:
    """Read the people of a prepared world, in the order of their sample_ids."""
    store = Store(folder / "workspace")
    manifest = LabelManifest.read(store.folder)
    people = store.read_samples().filter(pl.col("parent_id").is_not_null()).sort("sample_id")
    encoder_id = str(manifest.encoder_id)
    vectors = read_sample_vectors(store, people, encoder_id=encoder_id)
    people = people.filter(pl.col("sample_id").is_in(vectors.keys.implode()))
    return RegionWorld(
        people["sample_id"],
        people["parent_id"],
        vectors.values,
        _read_table(store, people, list_columns(manifest, of_objects=True)),
        _read_table(store, people, list_true_columns(manifest)),
        encoder_id,
    )


def _read_table(
    store: Store, people: pl.DataFrame, columns: dict[str, LabelColumn]
) -> pl.DataFrame:
    table = {}
    for name, column in columns.items():
        labels = store.read_labels([column.label_id]).select("sample_id", "value")
        key = "parent_id" if column.of_image else "sample_id"
        table[name] = people.join(
            labels, left_on=key, right_on="sample_id", how="left", maintain_order="left"
        )["value"]
    return pl.DataFrame(table)


def draw_errors(
    world: RegionWorld,
    weak: Group | None,
    rng: np.random.Generator,
    *,
    inside: float = 0.5,
    outside: float = 0.1,
    named: float = 0.35,
) -> Floats:
    """Draw 0/1 errors: of the weak group, of the group that an attribute names, and of others."""
    rates = np.where(world.select(NAMED), named, outside)
    if weak is not None:
        rates = np.where(world.select(weak), np.maximum(rates, inside), rates)
    return (rng.random(len(rates)) < rates).astype(np.float64)


class TextTower:
    """The demo's encoder of texts, loaded once."""

    def __init__(self) -> None:
        self.encoder = load_encoder(
            EncoderConfig(model=f"local-dir:{find_encoder()}", precision="fp32")
        )

    def encode_words(self) -> WordVectors:
        """Return the vectors of the shipped words and of the prompts of shipped attributes."""
        shipped = [read_attribute(find_shipped(name)) for name in list_shipped()]
        prompts = [
            text for one in shipped if one.kind == "prompts" for own in one.values.values()
            for text in own
        ]  # fmt: skip
        words = list(dict.fromkeys([*list_words(), *prompts]))
        values = self.encoder.encode_texts([TEMPLATE.format(word) for word in words])
        return WordVectors(words, values.astype(np.float64))

    def label(self, draft: Path, world: RegionWorld) -> pl.Series:
        """Label the people of a world by a draft of prompts, as an audit would."""
        attribute = read_attribute(draft)
        prompts = list_prompts(attribute)
        texts = Vectors(pl.Series(prompts), self.encoder.encode_texts(prompts), world.encoder_id)
        prototypes = make_prototypes(attribute, texts, logit_scale=self.encoder.logit_scale)
        vectors = Vectors(world.sample_ids, world.vectors, world.encoder_id)
        labels = label_samples(vectors, prototypes, sample_ids=world.sample_ids, label_id="draft")
        return labels["value"].alias(attribute.name)
