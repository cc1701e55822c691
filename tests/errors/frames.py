"""Tables for scoring, made in memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.samples.ids import make_sample_id
from pipeline.samples.sample_set import CATEGORIES
from pipeline.tables import OBJECTS, SAMPLES, SOURCE_IMAGES, empty

Box = tuple[float, float, float, float]


def images(paths: Sequence[str], categories: Sequence[str | None] | None = None) -> pl.DataFrame:
    """Make `samples` of whole images."""
    names = categories or [None] * len(paths)
    rows = [
        {"sample_id": make_sample_id(path), "path": path, "category": name}
        for path, name in zip(paths, names, strict=True)
    ]
    return pl.DataFrame(rows, schema=dict(SAMPLES))


def with_objects(objects: pl.DataFrame) -> pl.DataFrame:
    """Make `samples` of objects that are neither crowds nor ignored, and their images."""
    rows = [
        {
            **{key: row[key] for key in ("path", "annotation_id", "category", *"xywh")},
            "sample_id": make_sample_id(row["path"], row["annotation_id"]),
            "parent_id": make_sample_id(row["path"]),
        }
        for row in objects.filter(~pl.col("crowd") & ~pl.col("ignore")).iter_rows(named=True)
    ]
    parents = images(sorted({row["path"] for row in rows}))
    return pl.concat([parents, pl.DataFrame(rows, schema=dict(SAMPLES))])


def true_object(number: int, image: int, box: Sequence[float], **more: object) -> dict[str, Any]:
    """Make a row of `objects`: annotation `number` in image `image` of source 0."""
    return {
        "source": 0,
        "image_id": str(image),
        "path": f"{image}.png",
        "annotation_id": str(number),
        "category": "person",
        **dict(zip("xywh", map(float, box), strict=True)),
        "crowd": False,
        "ignore": False,
        **more,
    }


def truth_frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Make `objects`."""
    return pl.DataFrame(list(rows), schema=dict(OBJECTS))


def source_frame(count: int, source: int = 0) -> pl.DataFrame:
    """Make `source_images` of images 1 to `count`."""
    rows = [(source, str(number), f"{number}.png") for number in range(1, count + 1)]
    return pl.DataFrame(rows, schema=dict(SOURCE_IMAGES), orient="row")


def category_frame(asked: Sequence[str] = ("person", "dog")) -> pl.DataFrame:
    """Make the categories person (1) and dog (2) of source 0."""
    rows = [(0, "1", "person", "person" in asked), (0, "2", "dog", "dog" in asked)]
    return pl.DataFrame(rows, schema=dict(CATEGORIES), orient="row")


def system(format: str, *files: Path, **more: object) -> System:  # noqa: A002 - the key's own name
    """Make a system under audit."""
    predictions = [str(file) for file in files]
    return System.model_validate(
        {"name": "detector", "format": format, "predictions": predictions, **more}
    )


def score_rows(
    asked: System, samples: pl.DataFrame, *, columns: pl.DataFrame | None = None
) -> Scored:
    """Score outputs that need no boxes."""
    return score_system(
        asked,
        samples=samples,
        objects=empty(OBJECTS),
        source_images=empty(SOURCE_IMAGES),
        categories=empty(CATEGORIES),
        columns=columns,
    )


def by_path(scored: Scored, samples: pl.DataFrame) -> dict[str, float]:
    """Return the error of each path."""
    joined = scored.errors.join(samples, on="sample_id")
    return dict(joined.select("path", "error").iter_rows())
