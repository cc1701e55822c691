"""Gaps of real detectors: a face detector by true attributes, a people detector by size."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.config.dataset import Dataset
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.fairness.gates import judge_gates
from pipeline.fairness.measure import Fairness, measure_fairness
from pipeline.fairness.verdicts import sum_up_verdicts
from pipeline.samples.read import read_samples
from tests.errors.frames import system
from tests.fairness.drawn_groups import row_of
from tests.samples.datasets import NO_SHARED, SHARED

CELEBA, MINI = SHARED / "celeba", SHARED / "coco_mini"


def score(dataset: dict[str, Any], *files: Path) -> tuple[pl.DataFrame, Scored]:
    """Return the objects with their errors, and all that the scoring found."""
    asked = {"format": "coco", "sample": "object", "crop": {"min_size": 1}, **dataset}
    found = read_samples(Dataset.model_validate(asked))
    scored = score_system(
        system("coco-detections", *files, error="miss", iou=0.3),
        samples=found.samples, objects=found.objects, source_images=found.source_images,
        categories=found.categories,
    )  # fmt: skip
    return found.samples.join(scored.errors, on="sample_id").sort("sample_id"), scored


def compare(rows: pl.DataFrame, scored: Scored, **more: Any) -> Fairness:
    return measure_fairness(
        rows, rows["error"].to_numpy(), cluster_ids=rows["parent_id"], paths=rows["path"],
        sample_ids=rows["sample_id"], matches=scored.matches, **more,
    )  # fmt: skip


@pytest.mark.skipif(not CELEBA.is_dir(), reason=NO_SHARED)
def test_haar_misses_faces_under_hats_and_men_more_than_women() -> None:
    files = {"images": str(CELEBA / "images"), "annotations": str(CELEBA / "faces.json")}
    rows, scored = score(files, CELEBA / "haar_detections.json")
    names = {"hat": "Wearing_Hat", "male": "Male", "young": "Young"}
    truth = pl.read_csv(CELEBA / "attributes.csv").select(
        pl.col("file").alias("path"),
        *(pl.col(old).replace_strict({1: "yes", -1: "no"}).alias(new)
          for new, old in names.items()),
    )  # fmt: skip
    rows = rows.join(truth, on="path").sort("sample_id")
    assert rows.height == 5000
    found = compare(rows, scored, sensitive=["male", "young"], adjust_for=["hat"])
    hats = compare(rows, scored, sensitive=["hat"])
    row = row_of(hats.gaps, hat="yes")
    assert row["value"] == pytest.approx(0.269, abs=5e-4)  # as the search of slices finds it
    assert row["state"] == "gap"
    recall = row_of(hats.gaps, "recall", hat="yes")
    assert recall["value"] == pytest.approx(1 - row["value"])
    precision = row_of(hats.gaps, "average precision", hat="yes")
    assert precision["ci_high"] < precision["rest_value"]
    men = row_of(found.gaps, male="yes")
    assert men["difference"] == pytest.approx(-row_of(found.gaps, male="no")["difference"])
    # Hats explain a part of what men are missed more often.
    assert 0 < men["adjusted_difference"] < men["difference"]
    assert found.gaps.filter(pl.col("metric") == "error").height == 8
    gates = {"max_gap": 0.1, "min_group": 50}
    assert sum_up_verdicts(judge_gates(hats.gaps, attributes=["hat"], **gates)) == "fail"  # type: ignore[arg-type]  # one dict of an int and a float
    verdicts = judge_gates(found.gaps, attributes=["male", "young"], max_gap=0.1, min_group=50)
    assert set(verdicts["verdict"]) == {"pass"}


@pytest.mark.skipif(not MINI.is_dir(), reason=NO_SHARED)
def test_hog_misses_small_people_and_crops_of_one_image_count_as_one() -> None:
    splits = ("train2017", "val2017")
    files = {
        "images": [str(MINI / split) for split in splits],
        "annotations": [str(MINI / f"annotations/instances_{split}.json") for split in splits],
        "categories": ["person"],
    }
    rows, scored = score(files, *(MINI / f"hog_people_{split}.json" for split in splits))
    rows = rows.with_columns(
        height=pl.when(pl.col("h") < 128).then(pl.lit("small")).otherwise(pl.lit("large"))
    )
    found = compare(rows, scored, sensitive=["height"])
    row = row_of(found.gaps, height="small")
    assert (row["n"], row["value"]) == (192, pytest.approx(0.984, abs=5e-4))
    assert row["rest_value"] == pytest.approx(0.837, abs=5e-4)
    assert row["difference_low"] > 0
    assert row["state"] == "gap"
    assert any("images are counted" in note for note in found.notes)
    assert row_of(found.gaps, "average precision", height="small")["value"] < 0.05
