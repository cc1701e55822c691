"""Runs, the slices they counted, and their findings."""

import polars as pl

from pipeline.tables.schema import PREDICATES, Schema

RUNS: Schema = {
    "run_id": pl.String(),
    "name": pl.String(),
    "started_at": pl.String(),  # ISO 8601, UTC
    "finished_at": pl.String(),
    "config": pl.String(),  # JSON, as the four columns below
    "versions": pl.String(),
    "encoder_id": pl.String(),
    "counts": pl.String(),
    "timings": pl.String(),
    "search": pl.String(),  # JSON: for each system what was searched
    "sample_limit": pl.Int64(),  # as --limit; null of all samples
}
RUN_KEYS: Schema = {"run_id": pl.String(), "system": pl.String()}
FAMILY: Schema = {  # what a search counts: one row a slice
    "predicates": PREDICATES,
    "level": pl.Int64(),
    "n": pl.Int64(),
    "weight": pl.Float64(),  # summed weights of the rows; n without weights
    "sum_error": pl.Float64(),
    "sum_error2": pl.Float64(),
    "max_error": pl.Float64(),
    "error": pl.Float64(),
    "rest_error": pl.Float64(),
    "lift": pl.Float64(),  # error / rest_error
    "score": pl.Float64(),
    "p": pl.Float64(),
    "q": pl.Float64(),
}
WEAKNESSES: Schema = {  # what find_weaknesses returns: one row a finding, best first
    "rank": pl.Int64(),
    "predicates": PREDICATES,
    "level": pl.Int64(),
    "n": pl.Int64(),
    "weight": pl.Float64(),  # summed weights of the rows; n without weights
    "error": pl.Float64(),
    "rest_error": pl.Float64(),
    "difference": pl.Float64(),
    "ci_low": pl.Float64(),
    "ci_high": pl.Float64(),
    "lift": pl.Float64(),
    "score": pl.Float64(),
    "p": pl.Float64(),
    "q": pl.Float64(),
    "q_residual": pl.Float64(),  # q in the search that remained after the findings before it
    "p_family": pl.Float64(),
    "state": pl.String(),  # confirmed | likely | unclear: check labels | insufficient evidence
    "explained_share": pl.Float64(),  # of the excess error, by this finding
    "holdout_n": pl.Int64(),  # null without a held-out half, as the four below
    "holdout_error": pl.Float64(),
    "holdout_rest_error": pl.Float64(),
    "holdout_ci_low": pl.Float64(),
    "holdout_ci_high": pl.Float64(),
    "holdout_p": pl.Float64(),
    "folded": pl.List(PREDICATES),  # slices that this finding explains, the best twenty
    "folded_count": pl.Int64(),  # how many they are
}
CORRECTIONS: Schema = {  # slices as labelled, corrected for wrong labels: one row a slice
    "predicates": PREDICATES,
    "label_precision": pl.Float64(),  # share of the labelled rows that truly belong to the slice
    "label_precision_low": pl.Float64(),  # 95 %, as all intervals
    "label_precision_high": pl.Float64(),
    "corrected_n": pl.Float64(),  # rows that truly belong to it
    "corrected_n_low": pl.Float64(),
    "corrected_n_high": pl.Float64(),
    "corrected_error": pl.Float64(),  # mean error of those
    "corrected_low": pl.Float64(),
    "corrected_high": pl.Float64(),
    "corrected_rest_error": pl.Float64(),  # of those that truly do not belong to it
    "corrected_difference": pl.Float64(),  # corrected_error - corrected_rest_error
    "corrected_difference_low": pl.Float64(),
    "corrected_difference_high": pl.Float64(),
    "corrected_lift": pl.Float64(),
    "correction": pl.String(),  # product | joint | bounds | none
    "correction_note": pl.String(),  # why there are bounds, or nothing; null where all is well
    "checks_needed": pl.List(
        pl.Struct({"attribute": pl.String(), "value": pl.String(), "n": pl.Int64()})
    ),  # further checks that would settle whether it does worse; empty where it is settled
}
SLICES: Schema = {**RUN_KEYS, **FAMILY}
# Beside what was found by labels: null where no label of the slice was made by a model.
CORRECTED: Schema = {name: dtype for name, dtype in CORRECTIONS.items() if name != "predicates"}
REPORTED: Schema = {**WEAKNESSES, **CORRECTED}  # the findings of one system
FINDINGS: Schema = {**RUN_KEYS, **REPORTED}
SWEEP: Schema = {  # how a finding changes with the score threshold
    "threshold": pl.Float64(),
    "error": pl.Float64(),  # mean over the slice
    "rest_error": pl.Float64(),
}
