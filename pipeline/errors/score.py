"""A system of any format as errors: one number >= 0 a sample."""

import math

import polars as pl

from pipeline.config.audit import System
from pipeline.config.error_metrics import DETECTION_FORMATS, find_metric
from pipeline.errors.label_errors import score_labels
from pipeline.errors.scored import Losses, Scored, make_error_id, scored_samples
from pipeline.exceptions import PredictionsError
from pipeline.files.table_file import to_text
from pipeline.files.toml_file import nearest
from pipeline.tables import ERRORS, check


def score_system(
    system: System,
    *,
    samples: pl.DataFrame,
    objects: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
    columns: pl.DataFrame | None = None,
    judged: pl.DataFrame | None = None,
) -> Scored:
    """Score the outputs of a system on each sample.

    samples: the `samples` table; in an object audit its objects are scored, else its images.
    objects, source_images, categories: the truth of a detection dataset as `read_samples`
    returns it, empty for others. columns: sample_id and the further columns of the dataset, for
    systems with a target of their own. judged: of a system of labels, as for `score_labels`, with
    inclusion and draw. Returns the `errors` table sorted by sample_id, how each
    output was matched, and counts of what could not be joined. Raises PredictionsError if the
    outputs cannot be turned into errors.
    """
    scored = scored_samples(samples).sort("sample_id")
    if system.format in DETECTION_FORMATS:
        from pipeline.errors.detection import choose_truth, finds_detections, score_detections

        whole = samples.filter(pl.col("parent_id").is_null())
        images = whole if finds_detections(system) else scored
        truth = choose_truth(objects, images, categories)
        made = score_detections(
            system,
            scored,
            images=images,
            truth=truth,
            objects=objects,
            source_images=source_images,
            categories=categories,
        )
    elif judged is not None:
        truth, made = judged.sort("sample_id"), score_labels(judged)
    else:
        scored = _take_target(system, scored, columns)
        truth = scored.select("sample_id", "category")
        made = _score_rows(system, scored)
    asked = categories.filter(pl.col("asked"))["category"].unique().sort().to_list()
    _check_range(system, made.losses["error"])
    error_id = make_error_id(system, samples=scored, truth=truth, asked=asked)
    errors = made.losses.sort("sample_id").select(
        "sample_id",
        pl.lit(error_id).alias("error_id"),
        pl.lit(system.name).alias("system"),
        pl.lit(_name_metric(system)).alias("metric"),
        pl.col("error").cast(pl.Float64),
    )
    return Scored(
        errors=check(errors, ERRORS, table="errors"),
        error_id=error_id,
        errors_without_sample=made.errors_without_sample,
        samples_without_error=scored.height - errors.height,
        notes=made.notes,
        warnings=made.warnings,
        matches=made.matches,
        image_counts=made.image_counts,
        evaluation=made.evaluation,
    )


def _take_target(
    system: System, samples: pl.DataFrame, columns: pl.DataFrame | None
) -> pl.DataFrame:
    """Put the system's target in place of the category; empty cells have none."""
    if system.target is None:
        return samples
    known = [] if columns is None else [name for name in columns.columns if name != "sample_id"]
    if columns is None or system.target not in known:
        raise PredictionsError(
            f"system {system.name!r}: the dataset has no column {system.target!r} to be its "
            f"target; {nearest(system.target, known)}"
        )
    text = to_text(columns[system.target]).str.strip_chars()
    own = columns.select("sample_id", text.set(text == "", None).alias("target"))
    joined = samples.join(own, on="sample_id", how="left", maintain_order="left")
    return joined.with_columns(category=pl.col("target")).drop("target")


def _check_range(system: System, errors: pl.Series) -> None:
    """Raise PredictionsError for errors outside the range that their metric promises."""
    highest = find_metric(system.error).highest if system.format != "table" else math.inf
    outside = errors.filter(~errors.is_between(0, highest))
    if not outside.is_empty():
        raise PredictionsError(
            f"system {system.name!r}: {outside.len()} errors of {system.error} are outside 0 to "
            f"{highest:g}; the first is {outside[0]}"
        )


def _name_metric(system: System) -> str:
    return system.error_column if system.error == "column" else system.error


def _score_rows(system: System, samples: pl.DataFrame) -> Losses:
    if system.format == "classification":
        from pipeline.errors.classification import score_classification

        return score_classification(system, samples)
    from pipeline.errors.error_column import score_table

    return score_table(system, samples)
