"""The schemas of what is said of a detector as a whole."""

import polars as pl

from pipeline.tables import BOX, Schema

ERROR_KINDS: Schema = {  # of a detector, as TIDE has them: one row a kind
    "kind": pl.String(),  # class | localization | both | duplicate | background | missed
    "count": pl.Int64(),
    "cost": pl.Float64(),  # what average precision would gain without this kind, 0 to 1
}
CATEGORY_SCORES: Schema = {  # how well a detector finds each category
    "category": pl.String(),
    "objects": pl.Int64(),
    "detections": pl.Int64(),  # that count
    "found": pl.Int64(),
    "precision": pl.Float64(),  # null without detections, as recall and AP without objects
    "recall": pl.Float64(),
    "ap50": pl.Float64(),  # average precision at an overlap of 0.5
    "ap": pl.Float64(),  # mean of those at 0.5 to 0.95
}
OPERATING_POINTS: Schema = {  # precision and recall of a detector from a score up
    "point": pl.String(),  # as audited | best F1
    "threshold": pl.Float64(),  # the lowest score that counts
    "precision": pl.Float64(),
    "recall": pl.Float64(),
    "f1": pl.Float64(),
}
CURVE: Schema = {  # precision and recall of a detector with all detections from a score up
    "category": pl.String(),  # null: of all categories together
    "threshold": pl.Float64(),
    "precision": pl.Float64(),
    "recall": pl.Float64(),
}
FALSE_DETECTIONS: Schema = {  # detections that are no correct one, of the kinds of ERROR_KINDS
    "path": pl.String(),  # of the image
    "kind": pl.String(),
    "category": pl.String(),
    **BOX,
    "score": pl.Float64(),
}
ERROR_PLACES: Schema = {  # where in their images the middles of false detections lie
    "kind": pl.String(),
    "row": pl.Int64(),  # of a grid over the image, from the top
    "column": pl.Int64(),  # from the left
    "n": pl.Int64(),
}
SIZE_SCORES: Schema = {  # how well a detector finds objects of each size
    "low": pl.Float64(),  # from this square root of the area of a box, in pixels
    "high": pl.Float64(),  # to less than this
    "objects": pl.Int64(),
    "recall": pl.Float64(),  # null without objects, precision without detections
    "recall_low": pl.Float64(),  # 95 %, images counted as what is independent
    "recall_high": pl.Float64(),
    "detections": pl.Int64(),
    "precision": pl.Float64(),
    "precision_low": pl.Float64(),
    "precision_high": pl.Float64(),
}
CONFUSIONS: Schema = {  # which categories a detector takes for which: one row a pair that occurs
    "category": pl.String(),  # of the object; null: there is none
    "taken_for": pl.String(),  # of the detection; null: it is missed
    "n": pl.Int64(),
}
RELABEL: Schema = {  # what may be wrong with the annotations of a detection dataset
    "system": pl.String(),  # whose detection it is; null: no system's
    "reason": pl.String(),  # unlabelled object | other category | not found
    "path": pl.String(),  # of the image
    "category": pl.String(),  # of the detection; of the object where it is not found
    **BOX,
    "score": pl.Float64(),  # of the detection
    "annotation_id": pl.String(),  # of the object that it is about
    "likeness": pl.Float64(),  # cosine to the objects of the category, where there are vectors
}
