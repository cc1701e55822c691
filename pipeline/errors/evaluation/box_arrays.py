"""True boxes and detections as arrays, which every part of an evaluation reads."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.errors.match_status import number_texts, take_boxes
from pipeline.errors.matching import Matches, match_boxes_at

LIMIT = 100  # detections of one category in one image that count, as in COCO's maxDets
ANY = "any category"  # what all are called where categories do not matter


@dataclass(frozen=True)
class BoxArrays:
    """n true boxes and m detections; these by falling score, equal ones in the given order.

    categories: names, of which true_category and category are indices. ignored: (n,) crowds and
    ignored ones. Boxes are x, y, width, height.
    """

    categories: tuple[str, ...]
    true_image: Ints
    true_category: Ints
    true_boxes: Floats
    ignored: Mask
    image: Ints
    category: Ints
    boxes: Floats
    scores: Floats

    @property
    def objects(self) -> Ints:
        """The number of counted objects of each category."""
        counted = self.true_category[~self.ignored]
        return np.bincount(counted, minlength=len(self.categories))

    def match(self, ious: tuple[float, ...], *, across: bool = False) -> list[Matches]:
        """Match at each threshold, within categories or, if `across`, whatever the category."""
        factor = 0 if across else 1
        step = len(self.categories) if factor else 1
        return match_boxes_at(
            truth_group=self.true_image * step + factor * self.true_category,
            truth_boxes=self.true_boxes,
            truth_ignored=self.ignored,
            detection_group=self.image * step + factor * self.category,
            detection_boxes=self.boxes,
            scores=self.scores,
            ious=ious,
        )


def rank_detections(detections: pl.DataFrame) -> pl.DataFrame:
    """Return those that count, by falling score: of each image and category the LIMIT best.

    They are the rows that `take_arrays` makes arrays of, in the same order.
    """
    ranked = detections.sort("score", descending=True, maintain_order=True)
    return ranked.filter(pl.int_range(pl.len()).over("path", "category") < LIMIT)


def take_arrays(
    truth: pl.DataFrame, detections: pl.DataFrame, *, any_category: bool = False
) -> BoxArrays:
    """Return the arrays of two frames.

    truth: path, category, x, y, w, h, crowd, ignore. detections: path, category, x, y, w, h, score.
    Of each image and category the LIMIT best detections are kept. any_category: take all for one
    category.
    """
    if any_category:
        truth, detections = (f.with_columns(category=pl.lit(ANY)) for f in (truth, detections))
    ranked = rank_detections(detections)
    true_image, image = number_texts(truth["path"], ranked["path"])
    names = pl.concat([truth["category"], ranked["category"]]).unique().sort()
    own, theirs = number_texts(truth["category"], ranked["category"], names=names)
    return BoxArrays(
        categories=tuple(names.to_list()),
        true_image=true_image,
        true_category=own,
        true_boxes=take_boxes(truth),
        ignored=(truth["crowd"] | truth["ignore"]).to_numpy(),
        image=image,
        category=theirs,
        boxes=take_boxes(ranked),
        scores=ranked["score"].to_numpy(),
    )
