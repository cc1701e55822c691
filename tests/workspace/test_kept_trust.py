"""What was measured of an encoder is given back only while it is of the labels that are there."""

from pathlib import Path

import polars as pl

from pipeline.tables import PROBES, empty
from pipeline.workspace.kept.kept_trust import BiasManifest, find_bias, put_trust
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.store import open_store


def label(folder: Path, label_id: str, *, encoder_id: str = "enc") -> None:
    tone = LabelledAttribute(name="tone", label_id=label_id, source="zero-shot")
    made = LabelManifest(attributes=(tone,), truth={"age": "t1"}, encoder_id=encoder_id)
    made.write(folder)


def test_probes_of_groups_that_were_labelled_again_are_not_given_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put_trust(empty(PROBES), store, table="probes")
    BiasManifest(
        encoder_id="enc", attribute="tone", source="labels", adjust=("age",), images=9,
        neutral=100, labels={"tone": "l1", "age": "t1"},
    ).write(tmp_path)  # fmt: skip
    label(tmp_path, "l1")
    found = find_bias(store)
    assert found is not None
    assert isinstance(found[1], pl.DataFrame)
    label(tmp_path, "l2")
    assert find_bias(store) is None
    label(tmp_path, "l1", encoder_id="other")
    assert find_bias(store) is None
