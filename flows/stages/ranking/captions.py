"""Captions of images, from a table or a COCO file, and their vectors."""

from pathlib import Path

import polars as pl

from flows.run.loaded_models import LoadEncoder, identify_encoder, require_encoder
from flows.stages.labellers import encode_prompts
from pipeline.arrays import Vectors
from pipeline.config.audit import Audit
from pipeline.exceptions import ConfigError
from pipeline.files.json_file import read_json
from pipeline.files.table_file import read_table
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

_TEXT = "caption"
_KEYS = ("sample_id", "path")


def read_captions(file: Path, samples: pl.DataFrame) -> pl.DataFrame:
    """Return sample_id and caption, in the order of the file.

    file: CSV or Parquet with a column `caption` and sample_id or path, or the JSON of COCO's
    captions. samples: sample_id and path; a path may be a file name that is unique. Several rows
    of an image are several captions; empty ones do not count. Raises ConfigError for a file that is
    none of these, or that names no sample.
    """
    table = _read_coco(file) if file.suffix.lower() == ".json" else _read_rows(file)
    texts = table.with_columns(pl.col(_TEXT).str.strip_chars()).filter(pl.col(_TEXT) != "")
    named = samples.select("sample_id", "path")
    if "sample_id" in texts.columns:
        found = texts.join(named, on="sample_id", how="semi", maintain_order="left")
    else:
        names = named.with_columns(name=pl.col("path").str.split("/").list.last())
        alone = names.filter(pl.len().over("name") == 1).select("sample_id", path="name")
        keys = pl.concat([named, alone]).unique("path", keep="first", maintain_order=True)
        found = texts.join(keys, on="path", how="inner", maintain_order="left")
    if found.is_empty():
        first = next((name for name in _KEYS if name in texts.columns), "path")
        example = texts[first].first() if texts.height else None
        raise ConfigError(
            f"--captions {file}: no row names an image of the audit; its first {first} is "
            f"{example!r}, that of the audit {samples[first].first()!r}"
        )
    return found.select("sample_id", _TEXT)


def encode_captions(texts: pl.Series, store: Store, audit: Audit, *, load: LoadEncoder) -> Vectors:
    """Return the vectors of the distinct texts; those not kept among the prompts are encoded."""
    config = require_encoder(audit)
    card = identify_encoder(config, store, load)
    distinct = texts.unique().sort()
    encode_prompts(distinct.to_list(), card.encoder_id, config, store, load)
    return read_vectors(distinct, store.prompts, encoder_id=card.encoder_id)


def _read_rows(file: Path) -> pl.DataFrame:
    table = read_table(file, error=ConfigError)
    key = next((name for name in _KEYS if name in table.columns), None)
    if key is None or _TEXT not in table.columns:
        raise ConfigError(
            f"--captions {file}: expected the columns {_TEXT!r} and 'path' or 'sample_id', found "
            f"{', '.join(table.columns)}"
        )
    return table.select(pl.col(key, _TEXT).cast(pl.String)).drop_nulls()


def _read_coco(file: Path) -> pl.DataFrame:
    content = read_json(file, error=ConfigError)
    try:
        names = {one["id"]: str(one["file_name"]) for one in content["images"]}
        rows = [
            (names[one["image_id"]], str(one["caption"]))
            for one in content["annotations"]
            if one["image_id"] in names
        ]
    except (KeyError, TypeError):
        raise ConfigError(
            f"--captions {file}: is no caption file of COCO; expected `images` with id and "
            "file_name, and `annotations` with image_id and caption"
        ) from None
    return pl.DataFrame(rows, schema={"path": pl.String, _TEXT: pl.String}, orient="row")
