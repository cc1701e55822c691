"""What the page shows of a detector as a whole."""

from dataclasses import dataclass, field

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.evaluation.evaluation_tables import FALSE_DETECTIONS
from pipeline.errors.evaluation.false_detections import count_places, pick_false
from pipeline.tables import empty
from pipeline.workspace.kept.kept_evaluation import read_evaluation
from pipeline.workspace.manifests import ScoredSystem
from pipeline.workspace.store import Store
from reports.models import DetectorReport

SHOWN = 6  # images with a false detection of a kind


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A detector as a whole, and the FALSE_DETECTIONS that its galleries show."""

    report: DetectorReport | None = None
    shown: pl.DataFrame = field(default_factory=lambda: empty(FALSE_DETECTIONS))


def report_detector(
    system: System, scored: ScoredSystem, store: Store, samples: pl.DataFrame
) -> Evaluated:
    """Evaluate a detector as it was scored last; nothing of other systems.

    samples: SAMPLES, whose whole images say how large each is.
    """
    kept = read_evaluation(store, scored.error_id)
    if kept is None:
        return Evaluated()
    from pipeline.errors.evaluation.detector_summary import (  # its matching loads for a while
        summarise_detector,
    )

    matches, truth = kept
    made = summarise_detector(
        matches, truth, iou=system.iou, any_category=system.match == "any-category"
    )
    sizes = samples.filter(pl.col("x").is_null()).select("path", "width", "height")
    report = DetectorReport(
        iou=made.iou,
        any_category=made.any_category,
        min_score=system.min_score,
        ap50=made.ap50,
        ap=made.ap,
        categories=made.categories,
        points=made.points,
        kinds=made.kinds,
        confusions=made.confusions,
        curves=made.curves,
        places=count_places(made.false, sizes.unique("path")),
        sizes=made.sizes,
    )
    return Evaluated(report, pick_false(made.false, count=SHOWN))
