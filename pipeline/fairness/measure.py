"""Does a system fail some groups more than others? The gaps of all groups, with their evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.exceptions import TableError
from pipeline.fairness.classifier_metrics import (
    is_of_classes,
    list_classifier_metrics,
    measure_disparities,
)
from pipeline.fairness.detector_metrics import list_detector_metrics
from pipeline.fairness.gap_notes import write_notes
from pipeline.fairness.gap_table import Question, tabulate_groups
from pipeline.fairness.groups import encode_column, list_groups
from pipeline.fairness.metrics import Metric, RowMean
from pipeline.fairness.needed_n import Power
from pipeline.fairness.validation import check_inputs
from pipeline.statistics.estimates import Values, number_clusters
from pipeline.tables import DISPARITIES, check


@dataclass(frozen=True)
class Fairness:
    """The gaps between groups, and what was noted on the way."""

    gaps: pl.DataFrame  # GAPS
    disparities: pl.DataFrame  # DISPARITIES
    notes: tuple[str, ...]  # sentences for the reader of the numbers


def measure_fairness(
    attributes: pl.DataFrame,
    errors: ArrayLike,
    *,
    sensitive: Sequence[str],
    adjust_for: Sequence[str] = (),
    cluster_ids: pl.Series | None = None,
    matches: pl.DataFrame | None = None,
    sample_ids: pl.Series | None = None,
    paths: pl.Series | None = None,
    positive: str | None = None,
    max_level: int = 2,
    min_group: int = 30,
    smallest_gap: float | None = None,
) -> Fairness:
    """Compare the groups of sensitive attributes, alone and in pairs, with their complements.

    attributes: n rows of text, one column per attribute; the values of an Enum column count also
    where no row has them. errors: (n,) losses >= 0. adjust_for: columns that may explain a gap.
    cluster_ids: (n,) the image of each row, where rows share images; without it rows are taken as
    independent.
    matches: DETECTION_MATCHES or CLASS_MATCHES of the system, with (n,) sample_ids, and for
    detections (n,) paths. positive: the class that a classifier's rates are of. min_group: samples
    that a tested group and its complement need. smallest_gap: the gap that `needed_n` samples
    would show, in units of the error; 0.1 for errors of 0 and 1, else 0.3 standard deviations.

    A row whose value is "unknown" is in no group; it is in a group's complement only where another
    of its values excludes it from the group. "overall" is of all rows.
    Raises TableError listing every problem with the arguments, or for a sample with two matches;
    ConfigError for a wrong `positive`.
    """
    numbers = np.asarray(errors, dtype=np.float64)
    check_inputs(
        attributes, numbers, used=[*sensitive, *adjust_for] if sensitive else [],
        columns={"cluster_ids": cluster_ids, "sample_ids": sample_ids, "paths": paths},
        max_level=max_level, min_group=min_group,
    )  # fmt: skip
    values = number_clusters(numbers, cluster_ids)
    columns, covariates = (
        [encode_column(attributes, name) for name in sorted(set(names))]
        for names in (sensitive, adjust_for)
    )
    question = Question(
        errors=RowMean("error", lower_is_better=True, values=values),
        metrics=_list_metrics(
            values, matches, sample_ids=sample_ids, paths=paths, positive=positive
        ),
        covariates=covariates,
        power=Power(values, smallest_gap=smallest_gap),
        min_group=min_group,
    )  # fmt: skip
    gaps = tabulate_groups(list_groups(columns, max_level=max_level), question)
    found = measure_disparities(gaps.iter_rows(named=True), min_group=min_group)
    disparities = pl.DataFrame(found, schema=dict(DISPARITIES))
    notes = write_notes(gaps, columns, question, matches=matches, positive=positive)
    return Fairness(gaps, check(disparities, DISPARITIES, table="disparities"), notes)


def _list_metrics(
    values: Values,
    matches: pl.DataFrame | None,
    *,
    sample_ids: pl.Series | None,
    paths: pl.Series | None,
    positive: str | None,
) -> Sequence[Metric]:
    """List the metrics that the matches of a system allow besides its error."""
    if matches is None:
        return ()
    of_classes = is_of_classes(matches)
    if sample_ids is None or (paths is None and not of_classes):
        raise TableError(
            "fairness: matches cannot be joined with the rows; pass sample_ids, and paths with "
            "the matches of a detector"
        )
    if of_classes or paths is None:
        return list_classifier_metrics(matches, values, sample_ids=sample_ids, positive=positive)
    return list_detector_metrics(matches, values, sample_ids=sample_ids, paths=paths)
