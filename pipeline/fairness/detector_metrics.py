"""What is measured of a detector by group: objects found, false positives, average precision."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pipeline.arrays import Ints, Mask
from pipeline.fairness.average_precision import estimate_average_precision
from pipeline.fairness.groups import Group
from pipeline.fairness.metrics import ImageMean, Metric, Pair, RowMean
from pipeline.fairness.validation import refuse_repeats
from pipeline.statistics.estimates import Estimate, Values

UNMATCHED = ("false positive", "duplicate", "wrong class")


@dataclass(frozen=True)
class Detections:
    """The detections in the images of the rows, by falling score."""

    images: Ints  # (d,) image number
    unmatched: Mask  # (d,) whether it is a false positive, a duplicate or of a wrong class
    rows: Ints  # (d,) the row that a detection found, -1 where it found none of the rows


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision: objects of other groups, and what found them, are left out.

    A detection that found nothing belongs to no group. It counts for each by the group's share of
    the objects in its image: if it counted fully for all, a group that is few among many in its
    images would seem worse than one that fills them, found equally well. False positives in images
    without objects count for no group, and not in the overall number.
    """

    detections: Detections
    images: Ints  # (n,) image number of each row
    image_count: int
    name: str = "average precision"
    lower_is_better: bool = False

    @cached_property
    def objects(self) -> Ints:
        """(images,) objects in each image, at least 1."""
        return np.bincount(self.images, minlength=self.image_count)

    @property
    def overall(self) -> float:
        """The average precision of all objects."""
        return self._estimate(np.arange(len(self.images))).value

    def measure(self, group: Group) -> Pair:
        """Estimate it for a group and its complement."""
        return self._estimate(group.members), self._estimate(group.complement)

    def _estimate(self, rows: Ints) -> Estimate:
        """Estimate it for some rows, with their share of the unmatched detections."""
        own = np.zeros(len(self.images) + 1, np.bool_)  # the last: no row
        own[rows] = True
        share = np.bincount(self.images[rows], minlength=self.image_count) / self.objects
        found = self.detections
        hit = own[found.rows]
        weight = np.where(found.unmatched, share[found.images], hit)
        counted = weight > 0
        return estimate_average_precision(
            hit[counted], weight[counted], images=found.images[counted],
            object_images=self.images[rows], image_count=self.image_count,
        )  # fmt: skip


def list_detector_metrics(
    matches: pl.DataFrame, errors: Values, *, sample_ids: pl.Series, paths: pl.Series
) -> list[Metric]:
    """Return what can be measured of a detector besides its error.

    errors: of the n rows; sample_ids and paths: of the rows. Rows are objects when detections found
    some of them or when they come in clusters; of whole images false positives alone are known.
    Raises TableError when two detections found one row.
    """
    is_found = matches["status"] == "found"
    refuse_repeats(matches["sample_id"].filter(is_found), what="detection that found it")
    numbered = paths.rank("dense").cast(pl.Int64) - 1
    images, count = numbered.to_numpy(), int(numbered.n_unique())
    found = _number_detections(matches, sample_ids=sample_ids, paths=paths, numbered=numbered)
    false = np.bincount(found.images[found.unmatched], minlength=count).astype(np.float64)
    by_image = Values(false, None, count, rate=False)
    metrics: list[Metric] = [
        ImageMean("false positives per image", lower_is_better=True, values=by_image, images=images)
    ]
    if errors.clusters is not None or (found.rows >= 0).any():
        hit = np.zeros(len(images))
        hit[found.rows[found.rows >= 0]] = 1.0
        recall = Values(hit, errors.clusters, errors.cluster_count, rate=True)
        metrics.insert(0, RowMean("recall", lower_is_better=False, values=recall))
        if not np.array_equal(1.0 - hit, errors.numbers):
            miss = Values(1.0 - hit, errors.clusters, errors.cluster_count, rate=True)
            metrics.insert(1, RowMean("miss rate", lower_is_better=True, values=miss))
        metrics.append(AveragePrecision(found, images, count))
    return metrics


def _number_detections(
    matches: pl.DataFrame, *, sample_ids: pl.Series, paths: pl.Series, numbered: pl.Series
) -> Detections:
    """Number the images and the found rows of detections; those in other images are left out."""
    known = pl.DataFrame({"path": paths, "image": numbered}).unique("path", maintain_order=True)
    rows = pl.DataFrame({"sample_id": sample_ids}).with_row_index("row")
    placed = (
        matches.join(known, on="path", how="inner", maintain_order="left")
        .join(rows, on="sample_id", how="left", maintain_order="left")
        .sort("score", descending=True, maintain_order=True)
        .with_columns(pl.when(pl.col("status") == "found").then("row").cast(pl.Int64).alias("row"))
    )
    return Detections(
        images=placed["image"].to_numpy(),
        unmatched=placed["status"].is_in(UNMATCHED).to_numpy(),
        rows=placed["row"].fill_null(-1).to_numpy(),
    )
