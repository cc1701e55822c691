"""The boxes on one image, read from the files of a detector's matches without reading all."""

import polars as pl

from flows.stages.reporting.pictures.scene_boxes import draw_scenes
from pipeline.workspace.kept.kept_evaluation import scan_evaluation
from pipeline.workspace.store import Store
from reports.site_models import SceneBox


def draw_image_boxes(store: Store, error_id: str, path: str) -> tuple[SceneBox, ...]:
    """Return what is true and what was detected in an image; nothing without a detector."""
    kept = scan_evaluation(store, error_id)
    if kept is None:
        return ()
    matches, truth = (frame.filter(pl.col("path") == path).collect() for frame in kept)
    return draw_scenes([path], matches, truth)[path]
