"""`weakspot export WORKSPACE fiftyone FOLDER`: samples, labels, errors and findings for FiftyOne.

The folder is what `fiftyone.types.LegacyFiftyOneDataset` reads: metadata.json and samples.json,
whose samples name their images by path and hold labels as documents. Images are not copied.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from flows.commands.exports.wide_columns import MARK
from flows.commands.exports.wide_table import build_wide_table
from flows.run.record import find_last_search
from pipeline.exceptions import ConfigError
from pipeline.files.remote_path import make_path
from pipeline.files.whole_files import write_text
from pipeline.predicates import select_rows
from pipeline.vocabulary import INSUFFICIENT
from pipeline.workspace.manifests import LabelManifest, SamplesManifest
from pipeline.workspace.store import Store

# Fields that every FiftyOne sample or detection has.
_RESERVED = frozenset(
    {"id", "filepath", "tags", "metadata", "label", "confidence", "bounding_box", "index", "mask",
     "attributes", "created_at", "last_modified_at", "media_type"}
)  # fmt: skip
_GIVEN = ("truth", "predicted")  # prefixes of columns that hold a class or value


def export_fiftyone(store: Store, folder: Path) -> int:
    """Write the folder; return how many samples FiftyOne will have, one an image.

    Each label is a Classification with its score as confidence, each error a number; the tags
    "finding 1 of SYSTEM" mark the samples that a finding holds. Objects are Detections of their
    image in the field "objects". Raises ConfigError when the folder holds other files, or the
    images have no known folder; StoreError when nothing was labelled or scored yet.
    """
    root = SamplesManifest.read(store.folder).root
    if root is None:
        raise ConfigError(f"{store.folder}: an older version read it; run `weakspot run` again")
    ours = {"metadata.json", "samples.json"}
    if folder.exists() and (not folder.is_dir() or {p.name for p in folder.iterdir()} - ours):
        raise ConfigError(f"{folder}: there are other files; name a new folder")
    wide = build_wide_table(store)
    tags = _list_tags(store, wide)
    size = store.read_samples().select(
        "sample_id", *(pl.col(name).alias(f"sample.{name}") for name in ("width", "height"))
    )
    rows = wide.join(size, left_on=MARK, right_on="sample_id", how="left", maintain_order="left")
    samples: dict[str, dict[str, Any]] = {}
    for row in rows.iter_rows(named=True):
        path = row["sample.path"]
        image = samples.setdefault(path, {"filepath": str(make_path(root) / path), "tags": []})
        own = tags.get(row[MARK], [])
        if row["sample.w"] is None:
            image |= _describe(row) | {"tags": own}
            continue
        image["tags"] = sorted({*image["tags"], *own})
        objects = image.setdefault("objects", {"_cls": "Detections", "detections": []})
        objects["detections"].append(_describe_object(row, own))
    metadata = {"media_type": "image", "info": {"made_by": "weakspot"}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(json.dumps(metadata), folder / "metadata.json")
        write_text(json.dumps({"samples": list(samples.values())}), folder / "samples.json")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return len(samples)


def _list_tags(store: Store, wide: pl.DataFrame) -> dict[str, list[str]]:
    """Return for each sample which findings of the last search hold it."""
    run = find_last_search(store)
    if run is None:
        return {}
    manifest = LabelManifest.read(store.folder)
    orders = {one.name: one.values for one in manifest.attributes if one.values}
    held = store.read("findings").filter(
        (pl.col("run_id") == run["run_id"]) & (pl.col("state") != INSUFFICIENT)
    )
    tags: dict[str, list[str]] = {}
    for one in held.sort("system", "rank").iter_rows(named=True):
        if any(item["attribute"] not in wide.columns for item in one["predicates"]):
            continue
        inside = select_rows(wide, one["predicates"], orders=orders)
        for sample_id in wide.filter(inside.fill_null(value=False))[MARK]:
            tags.setdefault(sample_id, []).append(f"finding {one['rank']} of {one['system']}")
    return tags


def _describe_object(row: Mapping[str, Any], tags: Iterable[str]) -> dict[str, Any]:
    """Return an object as a Detection, its box relative to the image."""
    width, height = row["sample.width"], row["sample.height"]
    box = [row["sample.x"] / width, row["sample.y"] / height,
           row["sample.w"] / width, row["sample.h"] / height]  # fmt: skip
    return {
        "_cls": "Detection",
        "label": row["sample.category"] or "object",
        "bounding_box": box,
        "tags": list(tags),
        **_describe(row, nested=False),
    }


def _describe(row: Mapping[str, Any], *, nested: bool = True) -> dict[str, Any]:
    """Return labels, true values and errors of a sample as fields.

    nested: as Classifications; of detections, whose fields FiftyOne shows as they are, as texts.
    """
    fields: dict[str, Any] = {}
    for name, value in row.items():
        prefix, _, rest = name.partition(".")
        if value is None or prefix in ("sample", "score"):
            continue
        if rest and prefix not in _GIVEN:
            fields[_name_field(f"{prefix}_{rest}")] = value
        elif nested:
            score = row.get(f"score.{name}") if not rest else row.get(f"confidence.{rest}")
            fields[_name_field(name)] = {"_cls": "Classification", "label": str(value)} | (
                {} if score is None else {"confidence": score}
            )
        else:
            fields[_name_field(name)] = str(value)
    return fields


def _name_field(name: str) -> str:
    """Return a name that FiftyOne takes for a field."""
    plain = re.sub(r"\W", "_", name).lstrip("_") or "field"
    return f"{plain}_" if plain in _RESERVED else plain
