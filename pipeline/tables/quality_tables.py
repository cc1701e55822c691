"""How good labels are: measured against true values or checks."""

from typing import Final

import polars as pl

from pipeline.tables.schema import Schema

IN_USE: Final = "in use"  # the method of labels that are searched

LABEL_QUALITY: Schema = {  # one row an attribute, method and value, and one for all its values
    "attribute": pl.String(),
    "method": pl.String(),  # naive | mean | probability | max | mixture | probe | in use
    "value": pl.String(),  # null: all values
    "judged_by": pl.String(),  # truth | checks
    "n": pl.Int64(),  # samples whose true value is known
    "effective_n": pl.Float64(),  # independent samples of equal weight that say as much
    "support": pl.Int64(),  # of them truly of the value
    "labelled": pl.Int64(),  # of them labelled with the value; in all rows: not "unknown"
    "accuracy": pl.Float64(),  # share right of those labelled; of a value: of that value or another
    "accuracy_low": pl.Float64(),  # 95 %, as all intervals
    "accuracy_high": pl.Float64(),
    "precision": pl.Float64(),  # in rows of all values: the mean of the values, as the two below
    "precision_low": pl.Float64(),
    "precision_high": pl.Float64(),
    "recall": pl.Float64(),
    "recall_low": pl.Float64(),
    "recall_high": pl.Float64(),
    "f1": pl.Float64(),
    "f1_low": pl.Float64(),
    "f1_high": pl.Float64(),
    "abstention": pl.Float64(),  # share "unknown"; of a value: of those truly of it
    "abstention_low": pl.Float64(),
    "abstention_high": pl.Float64(),
    "kappa": pl.Float64(),  # of all values: agreement beyond chance of those labelled
}
LABEL_CONFUSION: Schema = {  # which label samples of each true value get
    "attribute": pl.String(),
    "method": pl.String(),
    "truth": pl.String(),
    "value": pl.String(),  # the label, "unknown" included
    "n": pl.Int64(),
    "share": pl.Float64(),  # of the samples truly of that value
    "share_low": pl.Float64(),
    "share_high": pl.Float64(),
}
LABEL_CALIBRATION: Schema = {  # whether a score of 0.8 is right in 80 of 100 samples
    "attribute": pl.String(),
    "value": pl.String(),  # the score of this value; null: the score of the label
    "fit": pl.String(),  # isotonic | Platt
    "n": pl.Int64(),
    "calibration_error": pl.Float64(),  # expected calibration error of the score
    "calibration_error_fitted": pl.Float64(),  # of the cross-fitted probability
    "brier": pl.Float64(),  # mean squared error of the score
    "brier_fitted": pl.Float64(),
}
LABEL_RELIABILITY: Schema = {  # the points of a reliability diagram
    "attribute": pl.String(),
    "value": pl.String(),
    "fit": pl.String(),  # score | isotonic | Platt
    "bin": pl.Int64(),  # from 0, each with about as many samples
    "n": pl.Int64(),
    "predicted": pl.Float64(),  # mean score or probability
    "observed": pl.Float64(),  # share right
    "observed_low": pl.Float64(),
    "observed_high": pl.Float64(),
}
LABEL_THRESHOLDS: Schema = {  # from which margin labels of a value are as right as is wanted
    "attribute": pl.String(),
    "value": pl.String(),
    "origin": pl.String(),  # truth | checks | mixture
    "wanted": pl.Float64(),  # the precision asked for; null of a mixture
    "margin": pl.Float64(),  # null: no margin is shown to reach it
    "precision": pl.Float64(),  # of the labels of that margin or more
    "precision_low": pl.Float64(),  # at least that, with 95 % confidence for all margins tried
    "kept": pl.Float64(),  # share of the labels of the value that reach the margin
    "separation": pl.Float64(),  # of the two components of a mixture, Ashman's D
    "note": pl.String(),  # what keeps it from being used; null where nothing does
}
LEARNING_CURVE: Schema = {  # one row an attribute and a size that there are checks for
    "attribute": pl.String(),
    "size": pl.Int64(),  # checks of each value a value; of rarer values as many as there are
    "examples": pl.Float64(),  # in all, on average over folds and draws
    "right": pl.Float64(),  # weighted share of held-out samples that are labelled right
    "low": pl.Float64(),  # 95 %
    "high": pl.Float64(),
    "gain": pl.Float64(),  # of `right` over the row before; null in the first
    "gain_low": pl.Float64(),  # 95 %, of the same samples
    "gain_high": pl.Float64(),
}
QUALITY_TABLES = {
    "label_quality": LABEL_QUALITY,
    "label_confusion": LABEL_CONFUSION,
    "label_calibration": LABEL_CALIBRATION,
    "label_reliability": LABEL_RELIABILITY,
    "label_thresholds": LABEL_THRESHOLDS,
    "label_learning": LEARNING_CURVE,
}
