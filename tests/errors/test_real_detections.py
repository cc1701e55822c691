"""Real detections give known errors, equal to those of pycocotools."""

import contextlib
import io
import json
from pathlib import Path

import polars as pl
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.config.dataset import CropRule, Dataset
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.exceptions import PredictionsError
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.errors.frames import system
from tests.samples.datasets import NO_SHARED, SHARED

SPLITS = ("train2017", "val2017")
MINI = SHARED / "coco_mini"
PEOPLE = [MINI / f"annotations/instances_{split}.json" for split in SPLITS]
HOG = [MINI / f"hog_people_{split}.json" for split in SPLITS]


def read_people() -> SampleSet:
    dataset = Dataset.model_validate(
        {
            "format": "coco",
            "images": [str(MINI / split) for split in SPLITS],
            "annotations": [str(file) for file in PEOPLE],
            "categories": ["person"],
            "sample": "object",
            "crop": CropRule(min_size=1),
        }
    )
    return read_samples(dataset)


def score_set(
    found: SampleSet, *files: Path, error: str = "miss", min_score: float | None = None
) -> Scored:
    return score_system(
        system("coco-detections", *files, error=error, iou=0.3, min_score=min_score),
        samples=found.samples,
        objects=found.objects,
        source_images=found.source_images,
        categories=found.categories,
    )


@pytest.mark.skipif(not (SHARED / "celeba").is_dir(), reason=NO_SHARED)
def test_haar_misses_five_and_a_half_percent_of_the_celeba_faces() -> None:
    folder = SHARED / "celeba"
    dataset = Dataset.model_validate(
        {
            "format": "coco",
            "images": str(folder / "images"),
            "annotations": str(folder / "faces.json"),
            "categories": ["face"],
        }
    )
    samples = read_samples(dataset)
    scored = score_set(samples, folder / "haar_detections.json", min_score=0)
    assert scored.errors.height == 5000
    assert scored.errors["error"].mean() == pytest.approx(0.055)
    assert (scored.errors_without_sample, scored.samples_without_error) == (0, 0)
    more = score_set(samples, folder / "haar_detections.json")  # two faces at scores below 0
    assert more.errors["error"].mean() == pytest.approx(0.0546)


@pytest.mark.skipif(not (SHARED / "coco_mini").is_dir(), reason=NO_SHARED)
def test_hog_misses_more_of_the_small_people_and_each_as_pycocotools_says() -> None:
    found = read_people()
    scored = score_set(found, *HOG)
    people = found.samples.join(scored.errors, on="sample_id")
    small, large = people.filter(pl.col("h") < 128), people.filter(pl.col("h") >= 128)
    assert (small.height, large.height) == (192, 92)
    assert small["error"].mean() == pytest.approx(0.984, abs=5e-4)
    assert large["error"].mean() == pytest.approx(0.837, abs=5e-4)
    expected: dict[str, float] = {}
    for annotations, detections in zip(PEOPLE, HOG, strict=True):
        expected |= miss_by_pycocotools(annotations, detections)
    own = dict(people.select("annotation_id", "error").iter_rows())
    assert own == {number: expected[number] for number in own}
    assert len(own) == 284


def miss_by_pycocotools(annotations: Path, detections: Path) -> dict[str, float]:
    """Match the people of one file with the reference implementation."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        found = [row for row in json.loads(detections.read_bytes()) if row["score"] >= 0]
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.catIds = truth.getCatIds(catNms=["person"])
        evaluation.params.iouThrs = [0.3]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [10_000]
        evaluation.evaluate()
    return {
        str(number): float(match == 0)
        for image in evaluation.evalImgs
        if image is not None
        for number, match in zip(image["gtIds"], image["gtMatches"][0], strict=True)
    }


@pytest.mark.skipif(not (SHARED / "coco_mini").is_dir(), reason=NO_SHARED)
def test_margins_of_hog_are_no_probabilities() -> None:
    found = read_people()
    with pytest.raises(PredictionsError, match="rescale them"):
        score_set(found, *HOG, error="score-loss")
    scored = score_set(found, *HOG, error="iou-loss")
    assert scored.errors["error"].is_between(0, 1).all()
