"""What was measured of the encoder of an audit: one Parquet file a table, with what it is of."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.tables import TRUST_TABLES, check
from pipeline.workspace.manifests import LabelManifest, Manifest
from pipeline.workspace.store import Store


class BiasManifest(Manifest):
    """The probes that were judged last.

    attribute, source: what the groups are. adjust: the covariates. labels: attributes among these
    -> label_id, of true values where those were read. images: how many were used. notes: in words.
    """

    stage: ClassVar[str] = "bias"
    command: ClassVar[str] = "bias"

    encoder_id: str
    attribute: str
    source: str
    adjust: tuple[str, ...]
    labels: Mapping[str, str] = {}
    images: int
    neutral: int
    notes: tuple[str, ...] = ()


class AttackManifest(Manifest):
    """The typographic attack that was made last.

    labels: attribute -> label_id, as they were when it was made. samples: how many were attacked.
    """

    stage: ClassVar[str] = "attack"
    command: ClassVar[str] = "attack typographic"

    encoder_id: str
    labels: Mapping[str, str]
    samples: int
    defences: tuple[str, ...]
    notes: tuple[str, ...] = ()


class TrustManifest(Manifest):
    """The verdicts that were given last.

    labels: attribute -> label_id. truth: attribute -> label_id of its true values.
    """

    stage: ClassVar[str] = "trust"
    command: ClassVar[str] = "trust"

    labels: Mapping[str, str]
    truth: Mapping[str, str]


def put_trust(frame: pl.DataFrame, store: Store, *, table: str) -> None:
    """Keep a table of TRUST_TABLES."""
    write_parquet(check(frame, TRUST_TABLES[table], table=table), _locate(store, table))


def find_trust(store: Store, table: str) -> pl.DataFrame | None:
    """Return a table of TRUST_TABLES as measured last, None where it was not measured."""
    path = _locate(store, table)
    return read_parquet(path) if path.exists() else None


def read_trust(store: Store, table: str) -> pl.DataFrame:
    """Return a table of TRUST_TABLES as measured last; raises StoreError where there is none."""
    found = find_trust(store, table)
    if found is None:
        command = {"probes": "bias", "trust": "trust"}.get(table, "attack typographic")
        raise StoreError(f"{store.folder}: no {table} are kept; run `weakspot {command}` first")
    return found


def find_bias(store: Store) -> tuple[BiasManifest, pl.DataFrame] | None:
    """Return the probes of the encoder that labelled last.

    None where they are of another, or of groups whose labels are others since then.
    """
    manifest, frame = BiasManifest.find(store.folder), find_trust(store, "probes")
    label = LabelManifest.find(store.folder)
    if manifest is None or frame is None or label is None:
        return None
    now = {(one.name, one.label_id) for one in label.attributes} | set(label.truth.items())
    if manifest.encoder_id != label.encoder_id or not set(manifest.labels.items()) <= now:
        return None
    return manifest, frame


def find_attack(store: Store) -> tuple[AttackManifest, pl.DataFrame] | None:
    """Return the flips of the encoder that labelled last; None where they are of another."""
    manifest, frame = AttackManifest.find(store.folder), find_trust(store, "flips")
    if manifest is None or frame is None or manifest.encoder_id != _find_encoder(store):
        return None
    return manifest, frame


def _find_encoder(store: Store) -> str | None:
    label = LabelManifest.find(store.folder)
    return None if label is None else label.encoder_id


def _locate(store: Store, name: str) -> Path:
    return store.folder / "trust" / f"{name}.parquet"


def find_verdicts(store: Store) -> pl.DataFrame | None:
    """Return the verdicts on the attributes, None where labels are others since then."""
    manifest, frame = TrustManifest.find(store.folder), find_trust(store, "trust")
    label = LabelManifest.find(store.folder)
    if manifest is None or frame is None or label is None:
        return None
    now = {one.name: one.label_id for one in label.attributes}
    same = all(now.get(name) == label_id for name, label_id in manifest.labels.items())
    return frame if same and dict(manifest.truth) == dict(label.truth) else None
