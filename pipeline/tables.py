"""The schema of every table, and the check that a frame keeps it."""

from collections.abc import Mapping

import polars as pl

from pipeline.exceptions import TableError

Schema = Mapping[str, pl.DataType]

PREDICATES = pl.List(pl.Struct({"attribute": pl.String(), "value": pl.String()}))

BOX: Schema = {  # in pixels of the upright image
    "x": pl.Float64(),
    "y": pl.Float64(),
    "w": pl.Float64(),
    "h": pl.Float64(),
}
SAMPLES: Schema = {
    "sample_id": pl.String(),
    "content_key": pl.String(),
    "path": pl.String(),  # posix, relative to the dataset's images
    **BOX,  # null for whole images
    "parent_id": pl.String(),  # sample_id of the whole image; null for whole images
    "annotation_id": pl.String(),  # of the object in its annotation file; null for whole images
    "category": pl.String(),
    "width": pl.Int64(),  # of the whole upright image
    "height": pl.Int64(),
    "split": pl.String(),
    "size": pl.Int64(),  # of the file, bytes
    "mtime": pl.Int64(),  # of the file, nanoseconds
}
OBJECTS: Schema = {  # the ground truth of a detection dataset, of every category, also ignored ones
    "source": pl.Int64(),  # which of the annotation files, from 0
    "image_id": pl.String(),  # as written in that file
    "path": pl.String(),
    "annotation_id": pl.String(),
    "category": pl.String(),
    **BOX,
    "crowd": pl.Boolean(),
    "ignore": pl.Boolean(),
}
SOURCE_IMAGES: Schema = {  # how predictions name the images
    "source": pl.Int64(),
    "image_id": pl.String(),
    "path": pl.String(),
}
REJECTS: Schema = {"path": pl.String(), "stage": pl.String(), "reason": pl.String()}
DETECTIONS: Schema = {  # of one detector: one row a detection, by falling score
    "content_key": pl.String(),  # of the image
    "category": pl.String(),  # null, as what follows, where nothing was detected
    **BOX,
    "score": pl.Float64(),
}
TEXTS: Schema = {  # of one reader: one row a line of text
    "content_key": pl.String(),  # of the image
    "text": pl.String(),  # null, as what follows, where nothing can be read
    "score": pl.Float64(),  # 0 to 1
    **BOX,  # upright, around the text
}
BROKEN: Schema = {  # content that cannot be decoded or encoded, so that it is not tried again
    "content_key": pl.String(),
    "reason": pl.String(),
}
MEASUREMENTS: Schema = {
    "content_key": pl.String(),
    "measure": pl.String(),
    "measure_version": pl.String(),
    "value": pl.Float64(),
}
LABELS: Schema = {
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "source": pl.String(),  # zero-shot | measured | given | truth
    "value": pl.String(),
    "score": pl.Float64(),
    "margin": pl.Float64(),
    "label_id": pl.String(),
}
CHECKS: Schema = {  # what a person said of a label: one row an answer, the newest last
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "shown": pl.String(),  # the label that was judged, "unknown" included; null where none was
    "answer": pl.String(),  # right | wrong | cannot say
    "value": pl.String(),  # the true value; null where only "wrong" or "cannot say" is known
    "checker": pl.String(),
    "checked_at": pl.String(),  # ISO 8601, UTC
    "draw": pl.String(),  # what the sample was drawn for: "value", "finding", "imported"
    "inclusion": pl.Float64(),  # probability that it was drawn; null where that is not known
}
ERRORS: Schema = {
    "sample_id": pl.String(),
    "error_id": pl.String(),
    "system": pl.String(),
    "metric": pl.String(),
    "error": pl.Float64(),
}
DETECTION_MATCHES: Schema = {  # how each detection that counts is matched, by falling score
    "path": pl.String(),  # of the image
    "category": pl.String(),
    **BOX,
    "score": pl.Float64(),
    "status": pl.String(),  # found | duplicate | wrong class | ignored | false positive
    "iou": pl.Float64(),  # with its target object; 0 for a false positive
    "annotation_id": pl.String(),  # of the target object; null for a false positive
    "sample_id": pl.String(),  # of the target where it is a sample of the audit, else null
}
CLASS_MATCHES: Schema = {  # the true and the predicted class of each sample
    "sample_id": pl.String(),
    "true": pl.String(),
    "predicted": pl.String(),
    "score": pl.Float64(),  # probability of the predicted class; null where it is not known
}
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
    "state": pl.String(),  # confirmed | likely | insufficient evidence
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
    "verdict": pl.String(),  # pass | fail | insufficient evidence
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
COVERAGE: Schema = {  # how often each value of each attribute occurs, in display order
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "share": pl.Float64(),  # of the samples of the audit
}
VALUE_ERRORS: Schema = {  # mean error of a system over the samples of one value
    "system": pl.String(),
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),  # samples that have an error
    "error": pl.Float64(),
    "ci_low": pl.Float64(),  # 95 % interval
    "ci_high": pl.Float64(),
}
SWEEP: Schema = {  # how a finding changes with the score threshold
    "threshold": pl.Float64(),
    "error": pl.Float64(),  # mean over the slice
    "rest_error": pl.Float64(),
}
RUN_KEYS: Schema = {"run_id": pl.String(), "system": pl.String()}
SLICES: Schema = {**RUN_KEYS, **FAMILY}
FINDINGS: Schema = {**RUN_KEYS, **WEAKNESSES}

TABLES: Mapping[str, Schema] = {
    "samples": SAMPLES,
    "rejects": REJECTS,
    "measurements": MEASUREMENTS,
    "labels": LABELS,
    "errors": ERRORS,
    "runs": RUNS,
    "slices": SLICES,
    "findings": FINDINGS,
}
# What a run made besides findings: with the keys of run, system and labels.
RESULTS: Mapping[str, Schema] = {
    "gaps": {**RUN_KEYS, "labels": pl.String(), **GAPS},
    "disparities": {**RUN_KEYS, "labels": pl.String(), **DISPARITIES},
    "verdicts": {**RUN_KEYS, "labels": pl.String(), **VERDICTS},
    "combinations": {"run_id": pl.String(), **COMBINATIONS},
    "pairs": {"run_id": pl.String(), **COMBINATIONS},  # for the heat maps, whatever the level
    "collection": {"run_id": pl.String(), **COLLECTION},
    "sweeps": {**RUN_KEYS, "rank": pl.Int64(), **SWEEP},  # rank: of the finding
}


def check(frame: pl.DataFrame, schema: Schema, *, table: str) -> pl.DataFrame:
    """Return `frame` with the columns of `schema` in order, or say all that is wrong with it.

    Integer and float widths are cast where no value changes; null columns take the column's type.
    Raises TableError naming every missing, surplus or mistyped column of `table`.
    """
    problems = [f"column {name!r} is missing" for name in schema if name not in frame.columns]
    surplus = [name for name in frame.columns if name not in schema]
    problems += [f"column {name!r} is not of this table" for name in surplus]
    columns = []
    for name, dtype in schema.items():
        if name in frame.columns:
            try:
                columns.append(frame[name].cast(dtype, strict=True))
            except pl.exceptions.PolarsError:
                problems.append(f"column {name!r} is {frame[name].dtype}, expected {dtype}")
    if problems:
        raise TableError.from_problems(f"table {table!r}", problems)
    return pl.DataFrame(columns)


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame of `schema` without rows."""
    return pl.DataFrame(schema=dict(schema))
