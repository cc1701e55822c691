"""The join of labels and errors: nothing is lost in it without being counted."""

from pathlib import Path

import polars as pl

from pipeline.tables import ERRORS, LABELS, SAMPLES
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.search_table import SearchTable, join_labels
from pipeline.workspace.store import open_store


def make_samples(rows: list[tuple[str, str | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [{"sample_id": sample_id, "parent_id": parent} for sample_id, parent in rows],
        schema={"sample_id": pl.String, "parent_id": pl.String},
    )
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in SAMPLES.items() if n not in frame.columns]
    return frame.with_columns(absent).select(list(SAMPLES))


def make_labels(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    data = [
        {"sample_id": s, "attribute": a, "source": "given", "value": v, "label_id": a}
        for s, a, v in rows
    ]
    return pl.DataFrame(data, schema=dict(LABELS))


def make_errors(rows: dict[str, float]) -> pl.DataFrame:
    data = [
        {"sample_id": s, "error_id": "e", "system": "s", "metric": "m", "error": e}
        for s, e in rows.items()
    ]
    return pl.DataFrame(data, schema=dict(ERRORS))


def join(
    folder: Path,
    samples: pl.DataFrame,
    labels: pl.DataFrame,
    errors: pl.DataFrame,
    *columns: LabelColumn,
) -> SearchTable:
    store = open_store(folder)
    store.put_samples(samples)
    store.put_labels(labels)
    store.put_errors(errors)
    with store.connect() as connection:
        return join_labels(connection, samples["sample_id"], columns, error_id="e")


HAT = LabelColumn("hat", "hat")
NIGHT = LabelColumn("night", "night", of_image=True)


def test_an_object_takes_the_labels_of_its_image(tmp_path: Path) -> None:
    table = join(
        tmp_path,
        make_samples([("image", None), ("object", "image")]),
        make_labels([("image", "night", "yes"), ("object", "hat", "no"), ("image", "hat", "yes")]),
        make_errors({"object": 1.0}),
        HAT,
        NIGHT,
    )
    assert table.attributes.to_dicts() == [{"hat": "no", "night": "yes"}]
    assert table.cluster_ids.to_list() == ["image"]
    assert table.samples_without_labels == 0


def test_a_sample_without_a_label_is_counted_not_lost(tmp_path: Path) -> None:
    table = join(
        tmp_path,
        make_samples([("a", None), ("b", None)]),
        make_labels([("a", "hat", "no")]),
        make_errors({"a": 0.0, "b": 1.0}),
        HAT,
    )
    assert table.sample_ids.to_list() == ["a"]
    assert table.samples_without_labels == 1


def test_without_any_label_every_sample_is_counted_as_left_out(tmp_path: Path) -> None:
    table = join(tmp_path, make_samples([("a", None)]), make_labels([]), make_errors({"a": 1}), HAT)
    assert table.attributes.columns == ["hat"]
    assert table.samples_without_labels == 1


def test_a_run_of_values_selects_the_rows_of_each(tmp_path: Path) -> None:
    column = LabelColumn("size", "size", values=("<= 32", "(32, 128]", "> 128"))
    labels = [("a", "size", "<= 32"), ("b", "size", "> 128"), ("c", "size", "(32, 128]")]
    samples = make_samples([("a", None), ("b", None), ("c", None)])
    errors = make_errors({"a": 0.0, "b": 1.0, "c": 0.5})
    table = join(tmp_path, samples, make_labels(labels), errors, column)
    select = table.select_slice([{"attribute": "size", "value": "> 32"}])
    assert table.sample_ids.filter(select).to_list() == ["b", "c"]
    assert table.list_orders(["size"]) == {"size": column.values}


def test_an_order_that_lacks_a_value_of_the_labels_is_none(tmp_path: Path) -> None:
    column = LabelColumn("size", "size", values=("small", "medium", "large"))
    labels = make_labels([("a", "size", "small"), ("b", "size", "huge")])
    samples = make_samples([("a", None), ("b", None)])
    table = join(tmp_path, samples, labels, make_errors({"a": 0.0, "b": 1.0}), column)
    assert table.list_orders(["size"]) == {}


def test_row_order_does_not_matter(tmp_path: Path) -> None:
    samples = make_samples([("a", None), ("b", None), ("c", None)])
    labels = make_labels([("a", "hat", "no"), ("b", "hat", "yes"), ("c", "hat", "no")])
    errors = make_errors({"a": 0.0, "b": 1.0, "c": 0.5})
    one = join(tmp_path / "one", samples, labels, errors, HAT)
    shuffled = errors.sample(3, shuffle=True, seed=1)
    other = join(tmp_path / "other", samples.reverse(), labels.reverse(), shuffled, HAT)
    assert one.attributes.equals(other.attributes)
    assert one.errors.equals(other.errors)
