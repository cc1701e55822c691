"""What a search reads of a workspace: its samples, their vectors, and who made these."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.run.health.access import restrict_access
from pipeline.config.audit import Access
from pipeline.embeddings.card import EncoderCard
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.remote_path import make_path
from pipeline.workspace.manifests import LabelManifest, SamplesManifest
from pipeline.workspace.scans.scan_store import Scan, list_embedded, open_scan
from pipeline.workspace.scans.scanned_samples import read_scanned_samples
from pipeline.workspace.store import Store, find_store


@dataclass(frozen=True)
class SearchSession:
    """A workspace to search.

    samples: SAMPLES and `row` of those that are searched, sorted by sample_id; all_samples: also
    the whole images of an audit of objects. root: the folder that their paths are relative to.
    notes: what to know of the choice of encoder and samples. of_parts: whether windows of images
    are searched, which have no labels and no errors.
    """

    store: Store
    scan: Scan
    card: EncoderCard
    samples: pl.DataFrame
    all_samples: pl.DataFrame
    root: Path
    notes: tuple[str, ...] = ()
    of_parts: bool = False

    @property
    def of_objects(self) -> bool:
        """Whether the samples are objects in images."""
        return bool(self.samples["parent_id"].is_not_null().any())


def open_search(
    workspace: Path, *, encoder: str | None = None, whole_images: bool = False
) -> SearchSession:
    """Open a workspace to search it; makes the array of its vectors where that is old or missing.

    encoder: how an encoder_id begins, where vectors of several are kept; else the one that labelled
    last. whole_images: search the images that hold the objects of an audit of objects. Raises
    StoreError where there is no workspace, no vector or no sample, ConfigError for an encoder that
    is not there.
    """
    store = find_store(workspace)
    manifest = SamplesManifest.read(workspace)
    encoder_id, notes = choose_encoder(store, encoder)
    card = read_card(store, encoder_id)
    scan = open_scan(store, encoder_id)
    everything = read_scanned_samples(store, scan)
    known = store.read_samples()
    samples = _choose_samples(known, everything, whole_images=whole_images)
    if samples.is_empty():
        kind = "whole images" if whole_images else "samples"
        raise StoreError(
            f"{workspace}: none of its {kind} has a vector of encoder {encoder_id}; run "
            "`weakspot embed` first"
        )
    wanted = known.filter(pl.col("parent_id").is_null()) if whole_images else scored_samples(known)
    if left := wanted.height - samples.height:
        notes += (f"{left:,} samples have no vector by this encoder and are not searched",)
    if manifest.limit is not None:
        notes += (f"the dataset was read with --limit {manifest.limit}: the first samples alone",)
    root = make_path(manifest.root or ".")
    return SearchSession(store, scan, card, samples, everything, root, notes)


@contextlib.contextmanager
def keep_access(workspace: Path) -> Iterator[None]:
    """Write files for those alone who may read the database of the workspace."""
    database = workspace / "weakspot.duckdb"
    mode = database.stat().st_mode if database.exists() else 0
    access: Access = "umask" if mode & 0o007 else "group" if mode & 0o070 else "owner"
    with restrict_access(access):
        yield


def _choose_samples(
    known: pl.DataFrame, embedded: pl.DataFrame, *, whole_images: bool
) -> pl.DataFrame:
    """Return of the samples with vectors those that are searched."""
    if whole_images:
        return embedded.filter(pl.col("parent_id").is_null())
    judged = scored_samples(known).select("sample_id")
    return embedded.join(judged, on="sample_id", how="semi").sort("sample_id")


def read_card(store: Store, encoder_id: str) -> EncoderCard:
    """Return the card of an encoder of a workspace; raises StoreError where it is gone."""
    path = store.embeddings / encoder_id / "encoder.json"
    if not path.exists():
        raise StoreError(f"{path}: not there; `weakspot embed` writes it again")
    return EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))


def choose_encoder(store: Store, asked: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the encoder whose vectors are searched, and what to know of the choice.

    asked: how its id begins; None for the only one, or the one that labelled last. Raises
    StoreError where no vectors are kept, ConfigError where that is open or not there.
    """
    there = list_embedded(store)
    if not there:
        raise StoreError(
            f"{store.folder}: no vectors are kept here; run `weakspot embed` first, with an "
            "attribute that has prompts"
        )
    listed = ", ".join(there)
    if asked is not None:
        found = [name for name in there if name.startswith(asked)]
        if len(found) != 1:
            raise ConfigError(f"--encoder {asked}: names {len(found)} encoders; there are {listed}")
        return found[0], ()
    if len(there) == 1:
        return there[0], ()
    label = LabelManifest.find(store.folder)
    if label is None or label.encoder_id not in there:
        raise ConfigError(
            f"{store.folder}: vectors of several encoders are kept here; choose one with "
            f"--encoder: {listed}"
        )
    note = f"vectors by {label.encoder_id}, which labelled last; --encoder takes one of {listed}"
    return label.encoder_id, (note,)
