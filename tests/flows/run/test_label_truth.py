"""What is known of labels, row by row: of objects, of their images, of labels that need none."""

from pathlib import Path

import polars as pl

from flows.run.reading.label_truth import list_modelled, read_known_labels
from pipeline.slices.known_labels import NOT_GIVEN
from pipeline.tables import LABELS, SAMPLES
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.search_table import SearchTable
from pipeline.workspace.store import Store, open_store

MANIFEST = LabelManifest(
    attributes=(
        LabelledAttribute(name="time", label_id="t", source="zero-shot", applies_to="image"),
        LabelledAttribute(name="hat", label_id="h", source="probe"),
        LabelledAttribute(name="size", label_id="s", source="measured"),
    ),
    truth={},
)
COLUMNS = [
    LabelColumn("time", "t", of_image=True),
    LabelColumn("hat", "h"),
    LabelColumn("size", "s"),
]
TABLE = SearchTable(
    attributes=pl.DataFrame(
        {
            "time": ["day", "day", "night"],
            "hat": ["yes", "no", "unknown"],
            "size": ["small", "unknown", "large"],
        }
    ),
    errors=pl.Series([0.0, 1.0, 0.0]),
    cluster_ids=pl.Series(["i", "i", "j"]),
    sample_ids=pl.Series(["a", "b", "c"]),
    samples_without_labels=0,
)


def make_store(folder: Path) -> Store:
    store = open_store(folder)
    ids = {"i": None, "j": None, "a": "i", "b": "i", "c": "j"}
    samples = [
        dict.fromkeys(SAMPLES) | {"sample_id": one, "content_key": one, "parent_id": parent}
        for one, parent in ids.items()
    ]
    store.put_samples(pl.DataFrame(samples, schema=dict(SAMPLES)))
    given = [("i", "time", "day"), ("j", "time", "night"), ("a", "hat", "yes"), ("b", "hat", "no"),
             ("c", "hat", "unknown")]  # fmt: skip
    labels = [
        dict.fromkeys(LABELS)
        | {"sample_id": one, "attribute": name, "value": value, "label_id": name[0]}
        for one, name, value in given
    ]
    store.put_labels(pl.DataFrame(labels, schema=dict(LABELS)))
    return store


def answer(sample_id: str, attribute: str, shown: str, value: str) -> Answer:
    return Answer(
        sample_id=sample_id, attribute=attribute, shown=shown, value=value,
        answer="right" if shown == value else "wrong", checker="me", draw="imported",
        checked_at="2026-11-27T12:00:00+00:00",
    )  # fmt: skip


def test_checks_of_an_image_hold_for_its_objects_and_others_for_their_own_row(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path)
    Journal(store.folder).append_all(
        [answer("i", "time", "day", "night"), answer("b", "hat", "no", "yes")]
    )
    known = read_known_labels(store, MANIFEST, COLUMNS, TABLE)
    assert known.modelled == {"time", "hat"}
    assert known.truth["time"].to_list() == ["night", "night", None]
    assert known.truth["hat"].to_list() == [None, "yes", None]
    assert known.inclusion["hat"].is_not_null().to_list() == [False, True, False]
    assert known.has_truth


def test_measured_labels_are_their_own_truth(tmp_path: Path) -> None:
    known = read_known_labels(make_store(tmp_path), MANIFEST, COLUMNS, TABLE)
    assert known.labels["size"].to_list() == ["small", NOT_GIVEN, "large"]
    assert known.truth["size"].to_list() == known.labels["size"].to_list()
    assert known.inclusion["size"].to_list() == [1.0] * 3
    assert not known.has_truth


def test_columns_of_true_values_are_no_labels_of_a_model() -> None:
    assert list_modelled(MANIFEST, [LabelColumn("hat", "true hats")]) == frozenset()
