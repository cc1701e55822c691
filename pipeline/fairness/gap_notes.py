"""Sentences that a reader of the gaps needs beside the numbers."""

from collections.abc import Iterator, Sequence

import polars as pl

from pipeline.fairness.classifier_metrics import is_of_classes
from pipeline.fairness.gap_table import Question
from pipeline.fairness.groups import Column
from pipeline.vocabulary import INSUFFICIENT


def write_notes(
    gaps: pl.DataFrame,
    columns: Sequence[Column],
    question: Question,
    *,
    matches: pl.DataFrame | None,
    positive: str | None,
) -> tuple[str, ...]:
    """Return what was left out, what was not tested and what the estimates assume."""
    errors = gaps.filter(pl.col("metric") == "error")
    notes = [*_note_unknown(columns), *_note_evidence(errors, question)]
    if question.errors.values.clusters is not None:
        notes.append("Samples of one image are not independent: images are counted, not samples.")
    notes += _note_adjusted(errors, question)
    notes += _note_matches(matches, positive)
    return tuple(notes)


def _note_matches(matches: pl.DataFrame | None, positive: str | None) -> Iterator[str]:
    if matches is None:
        return
    if not is_of_classes(matches):
        yield (
            "False positives per image are those of the images that show a member of the group; "
            "its rest are the other images. Crowded images show members of more groups."
        )
        if matches["category"].n_unique() > 1:
            yield "Average precision is of the detections of all categories together."
    elif positive is None:
        yield (
            "Of classes, accuracy alone is compared: name the class that matters as positive in "
            "[fairness] for selection, true positive and false positive rates."
        )
    else:
        yield (
            f"Selection, true positive and false positive rates are of the class {positive!r}: "
            "selected is what is taken for it."
        )


def _note_unknown(columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        count = int((column.codes < 0).sum())
        if count:
            yield (
                f"{column.name} is unknown for {count} of {len(column.codes)} samples: they are in "
                "no group of it, nor among those that its groups are compared with."
            )


def _note_evidence(errors: pl.DataFrame, question: Question) -> Iterator[str]:
    weak = errors.filter(pl.col("state") == INSUFFICIENT)
    empty = weak.filter(pl.col("n") == 0).height
    if weak.height:
        yield (
            f"{weak.height} of {errors.height} groups are not judged ({empty} of them empty): they "
            f"or their rest have fewer than {question.min_group} samples, or are of a single image."
        )
    if weak["needed_n"].is_not_null().any():
        yield (
            f"The n that would do is what shows a gap of {question.power.gap:.3g} in four of five "
            "audits, at a level of 5 %."
        )


def _note_adjusted(errors: pl.DataFrame, question: Question) -> Iterator[str]:
    if not question.covariates:
        return
    names = ", ".join(column.name for column in question.covariates)
    yield (
        f"Adjusted gaps compare within strata of {names}: what the others' error would be if they "
        "were distributed over the strata as the group is."
    )
    judged = errors.filter(pl.col("state") != INSUFFICIENT)
    lacking = judged.filter(pl.col("adjusted_difference").is_null()).height
    if lacking:
        yield (
            f"{lacking} judged groups have no adjusted gap: under half of their samples lie in "
            "strata that hold others, or the group is defined by the covariates themselves."
        )
