"""Broken annotation files never end in a traceback, and no record of them is lost."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.dataset import Dataset
from pipeline.exceptions import WeakspotError
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import annotation, coco, write_images, write_json
from tests.samples.mutations import mutated, torn

DOCUMENT = coco(
    {1: "a.png", 2: "b.png"},
    [
        annotation(1, 1, (2, 3, 20, 15), iscrowd=0),
        annotation(2, 1, (4.5, 3, 20, 15), category_id=2),
        annotation(3, 2, (0, 0, 32, 24), ignore=1),
    ],
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        write_images(Path(name) / "images", ["a.png", "b.png"])
        yield Path(name)


def read(folder: Path, sample: str) -> SampleSet | None:
    dataset = Dataset.model_validate(
        {
            "format": "coco",
            "images": str(folder / "images"),
            "annotations": str(folder / "truth.json"),
            "sample": sample,
        }
    )
    try:
        return read_samples(dataset, threads=1)
    except WeakspotError as error:
        assert str(error).encode("utf-8")  # noqa: PT017 - it can be printed
        return None


@pytest.mark.slow
@settings(max_examples=300)
@given(document=mutated(DOCUMENT), sample=st.sampled_from(["image", "object"]))
def test_every_record_of_a_mutated_file_is_read_or_rejected(
    folder: Path, document: Any, sample: str
) -> None:
    write_json(folder / "truth.json", document)
    found = read(folder, sample)
    if found is None:
        return
    shown = found.rejects["reason"].str.contains(r"annotations\[|^annotation ").sum()
    assert found.objects.height + shown == len(document["annotations"])
    images = found.rejects["reason"].str.contains(r"images\[").sum()
    assert found.source_images.height + images == len(document["images"])
    assert found.samples["sample_id"].is_unique().all()
    assert found.samples["content_key"].null_count() == 0


@settings(max_examples=200)
@given(data=torn(DOCUMENT), sample=st.sampled_from(["image", "object"]))
def test_a_torn_file_is_read_or_refused_in_words(folder: Path, data: bytes, sample: str) -> None:
    (folder / "truth.json").write_bytes(data)
    read(folder, sample)


@settings(max_examples=30)
@given(order=st.permutations(range(3)), images=st.permutations(range(2)))
def test_the_order_of_records_does_not_matter(
    folder: Path, order: list[int], images: list[int]
) -> None:
    results = []
    for document in (
        DOCUMENT,
        {
            **DOCUMENT,
            "images": [DOCUMENT["images"][index] for index in images],
            "annotations": [DOCUMENT["annotations"][index] for index in order],
        },
    ):
        write_json(folder / "truth.json", document)
        found = read(folder, "object")
        assert found is not None
        results.append(found)
    one, other = results
    assert one.samples.equals(other.samples)
    assert one.objects.equals(other.objects)
