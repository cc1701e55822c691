"""Errors of a classifier: wrong or not, or the log-loss, against the category of each sample."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from pipeline.config.audit import System
from pipeline.config.error_metrics import find_metric
from pipeline.errors.checks.class_warnings import (
    check_classes,
    compare_predictions,
    list_unread,
    refuse_spellings,
    warn_of_disagreement,
)
from pipeline.errors.output_rows import FILE, join_rows, keep_outputs, read_numbers, read_rows
from pipeline.errors.scored import Losses
from pipeline.exceptions import PredictionsError
from pipeline.files.csv_cells import restore_known
from pipeline.files.table_file import list_rows, to_text
from pipeline.tables import CLASS_MATCHES, check

PROBABILITY = "__probability"  # of the predicted class
PREFIX = "p_"  # a column p_CLASS holds the probability of CLASS
CLIP = 1e-15  # the least probability in a log-loss, which is at most 34.5 then
SUM_TOLERANCE = 1e-3  # how far the probabilities of a row may be from 1: float16 exports pass


def score_classification(system: System, samples: pl.DataFrame) -> Losses:
    """Compare predicted classes or probabilities with the category of each sample.

    not-top1: 1 if `prediction` (or without it the most probable class, the first column of equal
    ones) is not the category, else 0. log-loss: -ln of the probability of the category, at least
    CLIP. Samples without a category have no error. The matches hold the predicted class, and its
    probability where it was chosen by that. Raises PredictionsError for missing columns,
    probabilities that are no probabilities, or classes that are not those of the dataset. Classes
    and predictions that may be another mistake than the classifier's are warnings.
    """
    by_prediction = not find_metric(system.error).needs_probabilities
    raw = [_restore_classes(read_rows(path)) for path in system.predictions]
    tables = [_read_outputs(table, by_prediction=by_prediction) for table in raw]
    both = [table for table in raw if "prediction" in table.columns and _list_classes(table)]
    compared = [compare_predictions(one, _list_classes(one), prefix=PREFIX) for one in both]
    if not by_prediction:
        _check_same_columns(tables)
    truth = samples.filter(pl.col("category").is_not_null())
    if truth.is_empty():
        raise PredictionsError(
            f"system {system.name!r}: no sample has a {system.target or 'category'}; "
            "classification needs the sub-folders of a folder dataset, a `category` column, "
            "objects, or a column that `target` names"
        )
    joined = join_rows(tables, samples)
    names = [path.name for path in system.predictions]
    rows = joined.rows.join(truth.select("sample_id", "category"), on="sample_id", how="inner")
    warnings = warn_of_disagreement(compared)
    notes: dict[str, object] = {"columns_not_read": _list_unread(raw)}
    if compared:
        notes["rows_that_disagree"] = sum(one.rows for one in compared)
    if by_prediction:
        warnings += check_classes(rows["prediction"], truth["category"], file=", ".join(names))
        notes |= _compare_classes(rows, truth["category"])
    return Losses(
        losses=rows.select("sample_id", CLASS_LOSSES[system.error](rows).alias("error")),
        errors_without_sample=joined.unmatched,
        notes=notes,
        warnings=warnings,
        matches=_list_matches(rows),
    )


def _restore_classes(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with predictions that CSV escaped as they were, by the names of p_CLASS."""
    if "prediction" not in table.columns:
        return table
    known = [name.removeprefix(PREFIX) for name in _list_classes(table)]
    predicted = to_text(table["prediction"])
    return table.with_columns(restore_known(predicted, pl.Series(known, dtype=pl.String)))


def _read_outputs(table: pl.DataFrame, *, by_prediction: bool) -> pl.DataFrame:
    """Return the table with `prediction` as text where it is asked for, or with p_ as floats."""
    classes = _list_classes(table)
    file = table[FILE][0] if table.height else "a file without rows"
    if by_prediction and "prediction" in table.columns:
        if table["prediction"].null_count():
            rows = list_rows(table["prediction"].is_null().arg_true().to_list())
            raise PredictionsError(f"{file}: column 'prediction' is empty in {rows}")
        return keep_outputs(table.with_columns(to_text(table["prediction"])), ["prediction"])
    if not classes:
        wanted = "'prediction' or one p_CLASS a class" if by_prediction else "one p_CLASS a class"
        raise PredictionsError(f"{file}: expected columns: {wanted}; found none of them")
    table = read_numbers(table, classes, highest=1 + SUM_TOLERANCE)
    _check_sums(table, classes, file=file)
    best = table.select(pl.concat_list(classes).list.arg_max()).to_series()
    names = pl.Series([name.removeprefix(PREFIX) for name in classes], dtype=pl.String)
    table = table.with_columns(
        names.gather(best).alias("prediction"),
        pl.max_horizontal(classes).clip(0, 1).alias(PROBABILITY),
    )
    outputs = [] if by_prediction else classes
    return keep_outputs(table, ["prediction", PROBABILITY, *outputs])


def _list_classes(table: pl.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith(PREFIX)]


def _list_unread(tables: Sequence[pl.DataFrame]) -> list[str]:
    """Return the columns that are not read, of all tables."""
    unread = [
        name
        for table in tables
        for name in list_unread(table, used=["prediction", *_list_classes(table)])
    ]
    return list(dict.fromkeys(unread))


def _check_sums(table: pl.DataFrame, classes: Sequence[str], *, file: str) -> None:
    sums = table.select(pl.sum_horizontal(classes)).to_series()
    wrong = ((sums - 1).abs() > SUM_TOLERANCE).arg_true().to_list()
    if wrong:
        raise PredictionsError(
            f"{file}: the {len(classes)} probabilities do not sum to 1 in {list_rows(wrong)}; "
            f"the first sum is {sums[wrong[0]]:.4g}; are they logits?"
        )


def _check_same_columns(tables: Sequence[pl.DataFrame]) -> None:
    for table in tables[1:]:
        if differing := sorted(set(table.columns) ^ set(tables[0].columns)):
            names = ", ".join(map(repr, differing))
            raise PredictionsError(
                f"the files of predictions have different columns; only in some: {names}"
            )


def _compare_classes(rows: pl.DataFrame, categories: pl.Series) -> dict[str, object]:
    """Return notes on classes that only the predictions or only the dataset have."""
    known = set(categories.unique().to_list())
    predicted = set(rows["prediction"].unique().to_list())
    return {
        "classes_never_predicted": sorted(known - predicted),
        "predicted_classes_not_in_dataset": sorted(predicted - known),
        "rows_of_unknown_classes": int((~rows["prediction"].is_in(list(known))).sum()),
    }


def _take_log_loss(rows: pl.DataFrame) -> pl.Expr:
    classes = [name for name in rows.columns if name.startswith(PREFIX)]
    absent = sorted(set(rows["category"].to_list()) - {name[len(PREFIX) :] for name in classes})
    if absent:
        known = [name[len(PREFIX) :] for name in classes]
        there = "the columns of probabilities"
        refuse_spellings(absent, known, where="categories of the dataset", there=there)
        names = ", ".join(repr(PREFIX + name) for name in absent)
        raise PredictionsError(
            f"log-loss needs the probability of every category of the dataset; no column {names}"
        )
    own = pl.coalesce(
        pl.when(pl.col("category") == name[len(PREFIX) :]).then(pl.col(name)) for name in classes
    )
    return 0.0 - own.clip(CLIP, 1.0).log()  # not minus: that makes -0.0 of probability 1


# Error of each row: a function of the rows, with `category` and `prediction`, and for metrics that
# need probabilities the columns p_CLASS.
CLASS_LOSSES: Mapping[str, Callable[[pl.DataFrame], pl.Expr]] = {
    "not-top1": lambda _: (pl.col("prediction") != pl.col("category")).cast(pl.Float64),
    "log-loss": _take_log_loss,
}


def _list_matches(rows: pl.DataFrame) -> pl.DataFrame:
    known = pl.col(PROBABILITY) if PROBABILITY in rows.columns else pl.lit(None, dtype=pl.Float64)
    matches = rows.select(
        "sample_id",
        pl.col("category").alias("true"),
        pl.col("prediction").alias("predicted"),
        known.alias("score"),
    )
    return check(matches.sort("sample_id"), CLASS_MATCHES, table="class matches")
