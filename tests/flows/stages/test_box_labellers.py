"""Labels of boxes are made anew when what they are made from changed, neighbours included."""

from pathlib import Path

import polars as pl
import pytest

from flows.run.preflight import check_columns
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.labellers import make_labellers
from pipeline.config.audit import Audit
from pipeline.embeddings.card import Encoder
from pipeline.exceptions import ConfigError
from pipeline.labels.attribute_file import Attribute
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.store import Store
from tests.samples.coco_folder import dataset
from tests.samples.datasets import annotation, coco, write_images, write_json

BOX = (2, 3, 10, 10)
CROWDING = Attribute(name="crowding", kind="measured", measure="box_crowding", edges=(0.5,))
POSITION = Attribute(name="position", kind="measured", measure="box_center_x", edges=(0.5,))


def refuse(_: object) -> Encoder:
    raise AssertionError("measures need no encoder")


def read(folder: Path, annotations: list[dict[str, object]], **more: object) -> SampleSet:
    write_images(folder / "images", ["a.png", "b.png"])
    write_json(folder / "truth.json", coco({1: "a.png", 2: "b.png"}, annotations))
    return read_samples(dataset(folder, sample="object", categories=["person"], **more))


def make_audit(folder: Path, *, sample: str = "object") -> Audit:
    return Audit.model_validate(
        {
            "name": "boxes",
            "workspace": folder / "workspace",
            "dataset": dataset(folder, sample=sample).model_dump(),
            "attributes": {"use": ["object/crowding", "object/position"]},
            "systems": [
                {"name": "s", "format": "table", "predictions": [folder / "s.csv"], "error": "e"}
            ],
        }
    )


def label(
    folder: Path, found: SampleSet, *attributes: Attribute
) -> dict[str, tuple[str, list[str]]]:
    """Return each attribute's label_id and the values of the objects in their order."""
    resolved = ResolvedAudit(make_audit(folder), attributes, ())
    made, _ = make_labellers(resolved, found, Store(folder), load=refuse)
    objects = found.samples.filter(pl.col("parent_id").is_not_null())
    return {
        one.attribute.name: (one.label_id, one.label(objects, None)["value"].to_list())
        for one in made
    }


def test_a_new_neighbour_renews_crowding_alone(tmp_path: Path) -> None:
    own = [annotation(1, 1, BOX), annotation(2, 2, BOX)]
    before = label(tmp_path, read(tmp_path, own), CROWDING, POSITION)
    new = annotation(3, 1, (2, 3, 9, 7))
    after = label(tmp_path, read(tmp_path, [*own, new]), CROWDING, POSITION)
    assert before["crowding"][1] == ["<= 0.5", "<= 0.5"]
    assert after["crowding"][1] == ["> 0.5", "> 0.5", "<= 0.5"]
    assert before["crowding"][0] != after["crowding"][0]
    assert before["position"][0] == after["position"][0]
    assert label(tmp_path, read(tmp_path, own), CROWDING, POSITION) == before


def test_other_categories_and_crowds_are_no_neighbours(tmp_path: Path) -> None:
    own = [annotation(1, 1, BOX)]
    dog = {**annotation(2, 1, BOX), "category_id": 2}
    crowd = annotation(3, 1, BOX, iscrowd=1)
    one = label(tmp_path, read(tmp_path, own), CROWDING)
    assert label(tmp_path, read(tmp_path, [*own, dog, crowd]), CROWDING) == one
    assert one["crowding"][1] == ["<= 0.5"]


def test_an_audit_of_images_names_every_attribute_that_needs_boxes(tmp_path: Path) -> None:
    found = read(tmp_path, [annotation(1, 1, BOX)])
    with pytest.raises(ConfigError, match=r"'crowding' .*'position' .*whole images have none"):
        check_columns([CROWDING, POSITION], found, sample="image")
