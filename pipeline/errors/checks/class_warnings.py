"""Warnings of a classifier's tables: classes under other names, predictions that disagree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.errors.output_rows import FILE, KEYS, ROW
from pipeline.exceptions import PredictionsError
from pipeline.files.table_file import fold_spelling, list_rows

REFUSED_SHARE = 0.8  # of rows of unknown classes, from which a table is refused
WARNED_SHARE = 0.1  # of rows of unknown classes or that disagree, above which one warns
_TOLERANCE = 1e-6  # by which a probability may be below the largest: equal ones differ by rounding


@dataclass(frozen=True)
class Disagreement:
    """Rows whose prediction is not the most probable class, of those that could be compared."""

    rows: int
    compared: int
    first: str  # in words, "" where there is none


def list_unread(table: pl.DataFrame, *, used: Iterable[str]) -> list[str]:
    """Return the columns that neither name samples nor are used."""
    known = {*KEYS, ROW, FILE, *used}
    return [name for name in table.columns if name not in known]


def compare_predictions(
    table: pl.DataFrame, classes: Sequence[str], *, prefix: str
) -> Disagreement:
    """Compare the column `prediction` with the probabilities beside it.

    classes: the columns of probabilities, of any type; prefix: what precedes the name of a class.
    Rows whose predicted class has no probability are not compared. Raises PredictionsError where
    the two spell a class in different ways.
    """
    file = table[FILE][0] if table.height else ""
    predicted = table["prediction"].cast(pl.String)
    names = [name.removeprefix(prefix) for name in classes]
    refuse_spellings(
        predicted.drop_nulls().unique().to_list(),
        names,
        where=f"{file}: classes in column 'prediction'",
        there="the columns of probabilities",
    )
    numbers = table.select(pl.col(classes).cast(pl.Float64, strict=False))
    own = (
        numbers.with_columns(predicted)
        .select(
            pl.coalesce(
                [
                    pl.when(pl.col("prediction") == name[len(prefix) :]).then(pl.col(name))
                    for name in classes
                ]
            )
        )
        .to_series()
    )
    best = numbers.select(pl.max_horizontal(pl.all())).to_series()
    differs = (own < best - _TOLERANCE).fill_null(value=False)
    first = ""
    if differs.any():
        row = differs.arg_true()[0]
        values = numbers.row(row)
        likeliest = names[max(range(len(names)), key=lambda at: values[at] or 0.0)]
        first = (
            f"{list_rows([row])} predicts {predicted[row]!r} with {own[row]:.3g}, and "
            f"{likeliest!r} has {best[row]:.3g}"
        )
    return Disagreement(int(differs.sum()), own.len() - own.null_count(), first)


def warn_of_disagreement(found: Sequence[Disagreement]) -> tuple[str, ...]:
    """Return a warning where more than WARNED_SHARE of the rows disagree."""
    rows, compared = (sum(getattr(one, key) for one in found) for key in ("rows", "compared"))
    if rows <= WARNED_SHARE * compared:
        return ()
    first = next(one.first for one in found if one.first)
    return (
        f"the column 'prediction' is not the most probable class in {rows:,} of {compared:,} rows "
        f"({first}); 'prediction' is what counts",
    )


def check_classes(predicted: pl.Series, known: pl.Series, *, file: str) -> tuple[str, ...]:
    """Return a warning where more than WARNED_SHARE of the rows predict unknown classes.

    predicted: (n,) of the rows. known: the categories of the dataset. Raises PredictionsError
    where REFUSED_SHARE or more do, or where a class is spelled in another way, with both spellings.
    """
    categories = known.unique().to_list()
    unknown = predicted.filter(~predicted.is_in(known.unique().implode()))
    where = f"{file}: predicted classes"
    refuse_spellings(unknown.unique().to_list(), categories, where=where, there="the dataset")
    if unknown.len() <= WARNED_SHARE * predicted.len():
        return ()
    every = unknown.len() == predicted.len()
    counted = unknown.alias("name").value_counts().sort(["count", "name"], descending=[True, False])
    seen = name_some([f"{name!r} ({count:,})" for name, count in counted.iter_rows()])
    has = name_some([repr(name) for name in sorted(categories)])
    if unknown.len() >= REFUSED_SHARE * predicted.len():
        count = (
            "no predicted class is a category"
            if every
            else f"{unknown.len():,} of {predicted.len():,} predicted classes are no category"
        )
        raise PredictionsError(
            f"{file}: {count} of the dataset: predicted {seen}, the dataset has {has}"
        )
    return (
        f"{unknown.len():,} of its {predicted.len():,} predicted classes are no category of the "
        f"dataset: {seen}; the dataset has {has}",
    )


def refuse_spellings(names: Iterable[str], known: Iterable[str], *, where: str, there: str) -> None:
    """Raise PredictionsError for names that are not known but in another spelling."""
    listed = set(known)
    folded = {fold_spelling(name): name for name in sorted(listed)}
    pairs = [(name, folded.get(fold_spelling(name))) for name in sorted(set(names) - listed)]
    problems = [f"{name!r} is {other!r} in {there}" for name, other in pairs if other is not None]
    if problems:
        raise PredictionsError.from_problems(f"{where} are spelled in another way", problems)


def name_some(names: Sequence[str]) -> str:
    """Write the first five names, and how many more there are."""
    some = ", ".join(names[:5])
    return some if len(names) <= 5 else f"{some} and {len(names) - 5:,} more"
