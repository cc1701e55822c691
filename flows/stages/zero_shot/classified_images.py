"""The images that are classified: vectors and true classes, of a folder or of an audit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flows.retrieval.search_session import keep_access
from flows.run.loaded_models import LoadEncoder, get_encoder, require_encoder
from flows.run.resolved_audit import resolve_audit
from flows.stages.ranking.sample_classes import read_classes, read_searched_samples
from flows.stages.ranking.sample_scan import scan_samples
from pipeline.arrays import Array
from pipeline.config.audit import EncoderConfig
from pipeline.config.dataset import CropRule, Dataset
from pipeline.embeddings.card import ContextEncoder, Encoder
from pipeline.embeddings.embed import embed_block, open_pool
from pipeline.exceptions import ConfigError, EncoderError
from pipeline.files.table_file import read_table, to_text
from pipeline.samples.read import read_samples
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.store import find_store


@dataclass(frozen=True)
class ClassifiedImages:
    """n images, or objects, with their vectors.

    table: sample_id, path, group (the image each is of) and truth, null where it is not known.
    vectors: (n, d). left_out: how many have no vector. keys: the columns that a file of
    predictions names them by.
    """

    table: pl.DataFrame
    vectors: Array
    encoder: ContextEncoder
    left_out: int
    keys: tuple[str, ...]


def load_images(
    source: Path,
    *,
    encoder: EncoderConfig | None,
    truth: str | None = None,
    limit: int | None = None,
    load: LoadEncoder,
) -> ClassifiedImages:
    """Return the images of a folder or of an audit.toml, with vectors.

    encoder: of a folder; an audit has its own. truth: of a folder a table with path and category,
    of an audit a column or attribute; else sub-folders or the category. limit: take so many, spread
    evenly over the paths. Vectors of an audit are kept in its workspace, those of a folder are not.
    Raises ConfigError where an argument does not fit the source.
    """
    if source.is_dir():
        if encoder is None:
            raise ConfigError(f"{source}: a folder needs --encoder")
        return _load_folder(source, get_encoder(encoder, load), truth=truth, limit=limit)
    if source.suffix.lower() != ".toml":
        raise ConfigError(f"{source}: expected a folder of images or an audit.toml")
    if encoder is not None:
        raise ConfigError(f"{source}: an audit has an [encoder] of its own; omit --encoder")
    return _load_audit(source, truth=truth, limit=limit, load=load)


def spread_rows(samples: pl.DataFrame, limit: int | None) -> pl.DataFrame:
    """Return `limit` rows spread evenly over the paths, all without one."""
    if limit is None or limit >= samples.height:
        return samples
    places = np.linspace(0, samples.height - 1, limit).round().astype(np.int64)
    return samples.sort("path", "sample_id")[np.unique(places)]


def _load_folder(
    folder: Path, encoder: Encoder, *, truth: str | None, limit: int | None
) -> ClassifiedImages:
    found = read_samples(Dataset(format="folder", images=(folder.absolute(),)))
    samples = spread_rows(found.samples, limit)
    if truth is None:
        samples = samples.with_columns(truth=pl.col("category"))
    else:
        samples = samples.join(_read_truth(Path(truth)), on="path", how="left")
        if samples["truth"].is_null().all():
            raise ConfigError(f"--truth {truth}: no row names an image of {folder}")
    with open_pool() as pool:
        made = embed_block(
            samples, root=folder.absolute(), crop=CropRule(), encoder=encoder, pool=pool,
            measures=False,
        )  # fmt: skip
    samples = samples.with_columns(group=pl.col("sample_id"))
    return _align(samples, made.vectors.keys, made.vectors.values, encoder, keys_kept=("path",))


def _load_audit(
    config: Path, *, truth: str | None, limit: int | None, load: LoadEncoder
) -> ClassifiedImages:
    audit = resolve_audit(config).audit
    store = find_store(audit.workspace)
    everything = read_searched_samples(store)
    if truth is None:
        everything = everything.with_columns(truth=pl.col("category"))
    else:
        known = read_classes(store, everything, truth, option="--truth", may_be_modelled=False)
        everything = everything.with_columns(known.values.alias("truth"))
    samples = spread_rows(everything, limit)
    encoder = get_encoder(require_encoder(audit), load)
    with keep_access(store.folder), lock_workspace(store.folder):
        keys, vectors = scan_samples(store, audit, samples, load=load)
    return _align(samples, keys, vectors, encoder, keys_kept=("sample_id", "path"))


def _align(
    samples: pl.DataFrame,
    keys: pl.Series,
    vectors: Array,
    encoder: Encoder,
    *,
    keys_kept: tuple[str, ...],
) -> ClassifiedImages:
    if not isinstance(encoder, ContextEncoder):
        raise EncoderError("this encoder does not say which texts are longer than its context")
    rows = pl.DataFrame({"content_key": keys, "row": np.arange(len(keys))})
    joined = samples.join(rows, on="content_key", how="inner").sort("path", "sample_id")
    if joined.is_empty():
        raise ConfigError("no image could be used; `weakspot run` lists why in its rejects")
    return ClassifiedImages(
        joined.select("sample_id", "path", "group", "truth"),
        vectors[joined["row"].to_numpy()],
        encoder,
        samples.height - joined.height,
        keys_kept,
    )


def _read_truth(file: Path) -> pl.DataFrame:
    """Return path and truth of a table with path and category; raises ConfigError."""
    table = read_table(file, error=ConfigError)
    absent = [name for name in ("path", "category") if name not in table.columns]
    if absent:
        found = ", ".join(table.columns)
        raise ConfigError(f"--truth {file}: expected columns 'path' and 'category', found {found}")
    named = table.select(to_text(table["path"]), to_text(table["category"]).alias("truth"))
    return named.drop_nulls().unique("path", keep="first", maintain_order=True)
