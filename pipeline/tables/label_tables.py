"""Labels, what is said of them, and errors."""

import polars as pl

from pipeline.tables.sample_tables import BOX
from pipeline.tables.schema import Schema

LABELS: Schema = {
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "source": pl.String(),  # zero-shot | probe | measured | given | truth | cluster
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
COVERAGE: Schema = {  # how often each value of each attribute occurs, in display order
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "share": pl.Float64(),  # of the samples of the audit
}
ERRORS: Schema = {
    "sample_id": pl.String(),
    "error_id": pl.String(),
    "system": pl.String(),
    "metric": pl.String(),
    "error": pl.Float64(),
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
