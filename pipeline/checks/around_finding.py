"""The labels whose checks settle one finding: of samples in it and of those just beside it."""

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.predicates import read_predicate


def select_around(
    labels: pl.DataFrame,
    samples: pl.DataFrame,
    predicates: Sequence[Mapping[str, str]],
    *,
    orders: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return the labels of each attribute of a slice where its other predicates hold.

    labels: LABELS. samples: the rows of the search, sample_id and parent_id; an object takes the
    label of its image where it has none of its own. orders: values of ordered attributes. Where the
    label is the slice's own value a check says whether the sample belongs to it; where it is
    another one, whether the slice misses the sample. Of a slice of one predicate these are all
    labels of its attribute.
    """
    rows = samples.select("sample_id", "parent_id")
    held = {}
    for one in predicates:
        name = one["attribute"]
        unit, value = _take_labels(rows, labels, name)
        allowed = list(read_predicate(one["value"], orders.get(name, ())))
        held[name] = (unit, value.is_in(allowed).fill_null(value=False))
    chosen = []
    for name, (unit, _) in held.items():
        others = [inside for other, (_, inside) in held.items() if other != name]
        kept = unit if not others else unit.filter(pl.DataFrame(_name(others)).select(
            pl.all_horizontal(pl.all())).to_series())  # fmt: skip
        own = pl.col("attribute") == name
        chosen.append(labels.filter(own & pl.col("sample_id").is_in(kept.drop_nulls().implode())))
    return pl.concat(chosen)


def _take_labels(
    rows: pl.DataFrame, labels: pl.DataFrame, name: str
) -> tuple[pl.Series, pl.Series]:
    """Return for each row which sample carries its label of an attribute, and the label."""
    own = labels.filter(pl.col("attribute") == name).select("sample_id", "value")
    joined = rows.join(own, on="sample_id", how="left", maintain_order="left").join(
        own.rename({"sample_id": "parent_id", "value": "parent_value"}),
        on="parent_id",
        how="left",
        maintain_order="left",
    )
    is_own = pl.col("value").is_not_null()
    taken = joined.select(
        unit=pl.when(is_own)
        .then("sample_id")
        .otherwise(pl.when(pl.col("parent_value").is_not_null()).then("parent_id")),
        value=pl.coalesce("value", "parent_value"),
    )
    return taken["unit"], taken["value"]


def _name(columns: Sequence[pl.Series]) -> list[pl.Series]:
    return [column.alias(str(number)) for number, column in enumerate(columns)]
