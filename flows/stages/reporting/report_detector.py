"""What the page shows of a detector as a whole."""

from pipeline.config.audit import System
from pipeline.workspace.kept.kept_evaluation import read_evaluation
from pipeline.workspace.manifests import ScoredSystem
from pipeline.workspace.store import Store
from reports.models import DetectorReport


def report_detector(system: System, scored: ScoredSystem, store: Store) -> DetectorReport | None:
    """Evaluate a detector as it was scored last; None for other systems."""
    kept = read_evaluation(store, scored.error_id)
    if kept is None:
        return None
    from pipeline.errors.evaluation.detector_summary import (  # its matching loads for a while
        summarise_detector,
    )

    matches, truth = kept
    made = summarise_detector(
        matches, truth, iou=system.iou, any_category=system.match == "any-category"
    )
    return DetectorReport(
        iou=made.iou,
        any_category=made.any_category,
        min_score=system.min_score,
        ap50=made.ap50,
        ap=made.ap,
        categories=made.categories,
        points=made.points,
        kinds=made.kinds,
        confusions=made.confusions,
    )
