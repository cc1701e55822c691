"""Manifests are typed values: what is missing, unknown or broken is a clear error."""

import json
from pathlib import Path

import pytest

from pipeline.exceptions import StoreError
from pipeline.workspace.manifests import (
    Inputs,
    LabelledAttribute,
    LabelManifest,
    Manifest,
    SamplesManifest,
    SearchedSystem,
    SearchRecord,
)

HAT = LabelledAttribute(name="hat", label_id="1", source="zero-shot", values=("yes", "no"))
LABELS = LabelManifest(attributes=(HAT,), truth={"hat": "2"}, encoder_id="e")


def test_what_a_stage_noted_comes_back_equal(tmp_path: Path) -> None:
    LABELS.write(tmp_path)
    assert LabelManifest.read(tmp_path) == LABELS
    assert LabelManifest.find(tmp_path) == LABELS
    assert LABELS.by_name == {"hat": HAT}


@pytest.mark.parametrize("kind", Manifest.__subclasses__())
def test_a_stage_that_has_not_run_is_named_with_its_command(
    tmp_path: Path, kind: type[Manifest]
) -> None:
    assert kind.find(tmp_path) is None
    with pytest.raises(StoreError, match=f"run `weakspot {kind.command}`"):
        kind.read(tmp_path)


def test_unknown_and_missing_fields_are_listed_with_the_file_and_the_command(
    tmp_path: Path,
) -> None:
    LABELS.write(tmp_path)
    path = LabelManifest.locate(tmp_path)
    content = json.loads(path.read_text())
    del content["truth"], content["attributes"][0]["label_id"]
    path.write_text(json.dumps({**content, "colour": "red"}))
    with pytest.raises(StoreError) as error:
        LabelManifest.read(tmp_path)
    told = str(error.value)
    assert f"{path} is broken or of another version, run `weakspot label` again" in told
    assert all(name in told for name in ("truth: ", "attributes.0.label_id: ", "colour: "))


def test_a_manifest_that_is_no_json_is_named(tmp_path: Path) -> None:
    SamplesManifest(counts={}).write(tmp_path)
    path = SamplesManifest.locate(tmp_path)
    path.write_text(path.read_text()[:-4])
    with pytest.raises(StoreError, match=r"samples\.json .*run `weakspot embed` again"):
        SamplesManifest.read(tmp_path)


def test_what_a_search_noted_survives_the_table_of_runs() -> None:
    inputs = Inputs(samples="s", labels={"hat": "1"}, truth={}, errors={"system": "e"})
    seen = SearchedSystem(
        n=5, samples_without_labels=0, error=0.2, detectable_gap=None, notes=("counted",)
    )
    record = SearchRecord(
        systems={"system": seen}, left_out=(), slices=3, inputs=inputs, label_source="predicted"
    )
    assert SearchRecord.from_json(record.model_dump_json(), source="run 1") == record
    with pytest.raises(StoreError, match=r"run 1 is broken .*run `weakspot find` again"):
        SearchRecord.from_json("{}", source="run 1")
