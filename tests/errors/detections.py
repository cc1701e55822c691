"""Detections, scored against truth in memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from tests.errors.frames import category_frame, source_frame, system
from tests.samples.datasets import write_json

BOX = (10, 10, 20, 20)
FAR = (200, 200, 20, 20)


def detection(image: object, box: Sequence[object], **more: object) -> dict[str, Any]:
    """Make a COCO result of category 1."""
    return {"image_id": image, "category_id": 1, "bbox": list(box), "score": 0.9, **more}


def score(
    folder: Path,
    detections: object,
    truth: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    asked: Sequence[str] = ("person",),
    error: str = "miss",
    **settings: object,
) -> Scored:
    """Score a file of detections of images 1 to 9."""
    file = write_json(folder / "detections.json", detections)
    return score_system(
        system("coco-detections", file, error=error, **settings),
        samples=samples,
        objects=truth,
        source_images=source_frame(9),
        categories=category_frame(asked),
    )


def misses(scored: Scored, samples: pl.DataFrame) -> dict[str, float]:
    """Return the error of each annotation."""
    joined = scored.errors.join(samples, on="sample_id")
    return dict(joined.select("annotation_id", "error").iter_rows())


def list_matches(scored: Scored) -> pl.DataFrame:
    """Return the matches of a detector, which are never None."""
    assert scored.matches is not None
    return scored.matches
