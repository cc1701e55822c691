"""The same detections miss the same objects, whatever format the truth is written in."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.config.audit import System
from pipeline.config.dataset import Dataset
from pipeline.errors.score import score_system
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.voc.writer import write_voc
from pipeline.samples.yolo.writer import write_yolo
from tests.samples.datasets import NO_SHARED, SHARED, write_json
from tests.samples.voc_folder import read_voc
from tests.samples.yolo_folder import read_yolo

FOLDER = SHARED / "coco_mini"


def misses(found: SampleSet, predictions: Path, *, iou: float = 0.3) -> pl.DataFrame:
    """Return file name, box and error of every scored object, in an order of their own."""
    system = System.model_validate(
        {
            "name": "s",
            "format": "coco-detections",
            "predictions": str(predictions),
            "error": "miss",
            "iou": iou,
        }
    )
    scored = score_system(
        system,
        samples=found.samples,
        objects=found.objects,
        source_images=found.source_images,
        categories=found.categories,
    )
    joined = scored.errors.join(found.samples, on="sample_id")
    boxes = [pl.col(side).round(3) for side in "xywh"]
    names = pl.col("path").str.split("/").list.last()
    return joined.select(names, *boxes, "error").sort(pl.all())


def ask(form: str, images: Path, annotations: Path) -> SampleSet:
    asked: dict[str, Any] = {"format": form, "images": str(images), "sample": "object"}
    asked |= {"annotations": str(annotations), "categories": ["person"]}
    return read_samples(Dataset.model_validate(asked))


@pytest.mark.skipif(not FOLDER.is_dir(), reason=NO_SHARED)
def test_real_detections_miss_the_same_people_in_every_format(tmp_path: Path) -> None:
    images = FOLDER / "val2017"
    truth = FOLDER / "annotations" / "instances_val2017.json"
    results = FOLDER / "hog_people_val2017.json"
    as_coco = ask("coco", images, truth)
    expected = misses(as_coco, results)
    assert 0 < expected["error"].sum() < expected.height

    every = Dataset.model_validate(
        {"format": "coco", "images": str(images), "annotations": str(truth)}
    )
    plain = read_samples(every)
    write_yolo(plain, tmp_path / "yolo", root=images)
    write_voc(plain, tmp_path / "voc")
    content = json.loads(results.read_text())
    by_index = write_json(tmp_path / "i.json", [{**one, "category_id": 0} for one in content])
    as_yolo = ask("yolo", tmp_path / "yolo", tmp_path / "yolo" / "data.yaml")
    assert misses(as_yolo, by_index).equals(expected)
    by_name = [
        {**one, "category_id": "person", "image_id": f"{one['image_id']:012}"} for one in content
    ]
    as_voc = ask("voc", images, tmp_path / "voc" / "Annotations")
    crowds = plain.objects.filter(pl.col("crowd"))["path"].unique()
    kept = ~pl.col("path").is_in(crowds.to_list())  # VOC has no crowds: they match otherwise
    found = misses(as_voc, write_json(tmp_path / "n.json", by_name))
    assert found.filter(kept).equals(expected.filter(kept))


@pytest.mark.parametrize("name", ["images/train/a.png", "a.png", "a"])
def test_predictions_may_name_images_in_several_ways(tmp_path: Path, name: str) -> None:
    found = read_yolo(tmp_path, sample="object")
    results = [{"image_id": name, "category_id": 0, "bbox": [8, 6, 16, 12], "score": 0.9}]
    scored = misses(found, write_json(tmp_path / "found.json", results))
    assert scored["error"].to_list().count(0.0) == 1


def test_an_ignored_object_is_neither_missed_nor_found(tmp_path: Path) -> None:
    found = read_voc(tmp_path, sample="object")
    results = [{"image_id": "a", "category_id": "dog", "bbox": [0, 0, 32, 24], "score": 0.9}]
    scored = misses(found, write_json(tmp_path / "found.json", results))
    assert scored["error"].to_list() == [1.0, 1.0]  # the two people
