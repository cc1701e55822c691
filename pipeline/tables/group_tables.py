"""Groups that were compared, and combinations that were counted."""

import polars as pl

from pipeline.tables.schema import PREDICATES, Schema

GAPS: Schema = {  # what measure_fairness returns: one row a metric and group
    "metric": pl.String(),  # "error", "recall", "false positives per image", "accuracy", ...
    "predicates": PREDICATES,  # the group
    "level": pl.Int64(),
    "n": pl.Int64(),  # what the metric is over: samples, positives, images
    "value": pl.Float64(),  # null for an empty group, as all numbers that do not exist
    "ci_low": pl.Float64(),  # 95 %, as all intervals
    "ci_high": pl.Float64(),
    "rest_value": pl.Float64(),  # of all samples known to be outside the group
    "difference": pl.Float64(),  # value - rest_value
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "ratio": pl.Float64(),  # value / rest_value
    "best_difference": pl.Float64(),  # to the best judged group of the same attributes
    "best_ratio": pl.Float64(),
    "overall_difference": pl.Float64(),
    "overall_ratio": pl.Float64(),
    "p": pl.Float64(),  # two-sided, of the difference to the rest; "error" only, as all below
    "q": pl.Float64(),  # Benjamini-Hochberg over the judged groups; null for the others
    "adjusted_difference": pl.Float64(),  # to the rest within strata of the covariates
    "adjusted_low": pl.Float64(),
    "adjusted_high": pl.Float64(),
    "adjusted_p": pl.Float64(),
    "compared_share": pl.Float64(),  # of the group that lies in strata with others to compare
    "state": pl.String(),  # gap | no gap shown | insufficient evidence | null: not judged
    "needed_n": pl.Int64(),  # samples that would do, where the evidence is insufficient
    "corrected_value": pl.Float64(),  # of the samples that truly belong to the group
    "corrected_low": pl.Float64(),
    "corrected_high": pl.Float64(),
    "corrected_difference": pl.Float64(),  # to those that truly do not
    "corrected_difference_low": pl.Float64(),
    "corrected_difference_high": pl.Float64(),
    "correction": pl.String(),  # product | joint | bounds | none; null: no labels of a model
    "correction_note": pl.String(),
}
DISPARITIES: Schema = {  # one number for all groups of some attributes
    "metric": pl.String(),  # "demographic parity difference", ...
    "attributes": pl.List(pl.String()),
    "value": pl.Float64(),
    "groups": pl.Int64(),  # that were large enough to be judged
    "left_out": pl.Int64(),  # that were not
}
VERDICTS: Schema = {  # what the gates say of each group
    "predicates": PREDICATES,
    "n": pl.Int64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "q": pl.Float64(),
    "verdict": pl.String(),  # pass | fail | insufficient evidence | not judged: labels unchecked
    "corrected": pl.Boolean(),  # whether the difference is the corrected one
}
COMBINATIONS: Schema = {  # which part of the domain a dataset holds: one row a combination
    "predicates": PREDICATES,
    "n": pl.Int64(),
    "expected": pl.Float64(),  # n if the attributes were independent
    "state": pl.String(),  # covered | rare | missing
}
COLLECTION: Schema = {  # what to collect next: one row a kind of sample
    "predicates": PREDICATES,
    "missing": pl.Int64(),  # samples of it to collect
    "covers": pl.Int64(),  # combinations that these help
}
