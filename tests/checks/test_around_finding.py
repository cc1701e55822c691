"""The labels on which one finding rests."""

import polars as pl

from pipeline.checks.around_finding import select_around
from pipeline.tables import LABELS

HAT = {"attribute": "hat", "value": "yes"}
NIGHT = {"attribute": "time", "value": "night"}


def make_labels(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    data = [{"sample_id": s, "attribute": a, "value": v} for s, a, v in rows]
    return pl.DataFrame(data, schema=dict(LABELS))


def list_around(
    labels: pl.DataFrame, parents: dict[str, str | None], *predicates: dict[str, str]
) -> list[tuple[str, str, str]]:
    samples = pl.DataFrame(
        {"sample_id": list(parents), "parent_id": list(parents.values())},
        schema={"sample_id": pl.String, "parent_id": pl.String},
    )
    found = select_around(labels, samples, predicates, orders={})
    return sorted(found.select("attribute", "value", "sample_id").iter_rows())


def test_a_label_is_asked_of_where_the_other_predicates_hold() -> None:
    labels = make_labels(
        [("1", "hat", "yes"), ("1", "time", "night"), ("2", "hat", "no"), ("2", "time", "night"),
         ("3", "hat", "yes"), ("3", "time", "day"), ("4", "hat", "no"), ("4", "time", "day")]
    )  # fmt: skip
    found = list_around(labels, dict.fromkeys("1234"), HAT, NIGHT)
    assert found == [
        ("hat", "no", "2"), ("hat", "yes", "1"), ("time", "day", "3"), ("time", "night", "1"),
    ]  # fmt: skip


def test_of_one_predicate_all_labels_of_its_attribute_count() -> None:
    labels = make_labels([("1", "hat", "yes"), ("2", "hat", "unknown"), ("2", "time", "day")])
    found = list_around(labels, dict.fromkeys("12"), HAT)
    assert found == [("hat", "unknown", "2"), ("hat", "yes", "1")]


def test_an_object_takes_the_label_of_its_image() -> None:
    labels = make_labels(
        [("image", "time", "night"), ("dawn", "time", "day"), ("a", "hat", "yes"),
         ("b", "hat", "no"), ("c", "hat", "yes")]
    )  # fmt: skip
    found = list_around(labels, {"a": "image", "b": "image", "c": "dawn"}, HAT, NIGHT)
    assert found == [
        ("hat", "no", "b"), ("hat", "yes", "a"), ("time", "day", "dawn"),
        ("time", "night", "image"),
    ]  # fmt: skip
