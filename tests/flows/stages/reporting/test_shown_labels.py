"""Which labels are shown as the most and the least certain, and how scores are spread."""

from pathlib import Path

import polars as pl

from flows.stages.reporting.shown_labels import (
    count_scores,
    pick_certain,
    pick_unknown,
    read_shown_labels,
)
from pipeline.tables import LABELS, SAMPLES
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.store import Store, open_store


def make_store(folder: Path) -> Store:
    """Keep ten labels "yes" by rising margin, two "no" and one "unknown"; b is in the image a."""
    store = open_store(folder)
    rows = [(f"s{at}", "yes", 0.5 + at / 20, at / 10) for at in range(10)]
    rows += [("n1", "no", 1.0, 0.7), ("n2", "no", 0.91, 0.7), ("u", "unknown", 0.3, 0.01)]
    rows += [("a", "yes", 0.95, 0.9)]
    labels = pl.DataFrame(
        [(key, "hat", "zero-shot", *known, "one") for key, *known in rows],
        schema=dict(LABELS), orient="row",
    )  # fmt: skip
    keys = [*(row[0] for row in rows), "b"]
    samples = pl.DataFrame(
        [{"sample_id": key, "content_key": key, "path": f"{key}.jpg",
          "parent_id": "a" if key == "b" else None} for key in keys],
        schema=dict(SAMPLES),
    )  # fmt: skip
    store.put_samples(samples)
    store.put_labels(labels)
    return store


def test_certain_labels_are_of_each_value(tmp_path: Path) -> None:
    store = make_store(tmp_path / "workspace")
    assert pick_certain(store, "one", least=False) == ["n1", "n2", "a", "s9", "s8"]
    assert pick_certain(store, "one", least=True) == ["n1", "n2", "s0", "s1", "s2"]
    assert pick_certain(store, "other", least=True) == []
    assert pick_unknown(store, "one", count=8) == ["u"]


def test_scores_are_counted_by_value(tmp_path: Path) -> None:
    counted = count_scores(make_store(tmp_path / "workspace"), "one")
    assert counted.filter(pl.col("value") == "no").select("low", "n").rows() == [(0.9, 2)]
    assert counted["n"].sum() == 13
    assert "unknown" not in counted["value"]


def test_an_object_shows_the_label_of_its_image(tmp_path: Path) -> None:
    store = make_store(tmp_path / "workspace")
    found = read_shown_labels(store, [LabelColumn("hat", "one", of_image=True)], ["b", "s1"])
    assert found.rows() == [("b", "hat", "yes", 0.95), ("s1", "hat", "yes", 0.55)]
    own = read_shown_labels(store, [LabelColumn("hat", "one")], ["b", "s1"])
    assert own["sample_id"].to_list() == ["s1"]
