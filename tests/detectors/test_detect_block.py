"""A detector run over a block of images: what is seen, what is remembered, what is rejected."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.detectors.detect import detect_block
from pipeline.detectors.detector import Detection
from pipeline.exceptions import StoreError
from pipeline.images.decode import ImageRejectedError
from pipeline.workspace.detected_images import read_stored_detections
from pipeline.workspace.shards import write_shard


@dataclass
class BrightSpots:
    """Sees one object as wide as the image is bright; counts how often it is called."""

    name: str = "bright"
    detector_id: str = "0" * 16
    calls: list[tuple[int, int]] = field(default_factory=list)

    def detect(self, image: Image.Image) -> list[Detection]:
        self.calls.append(image.size)
        level = image.convert("L").getextrema()[1]
        assert isinstance(level, int)
        if level == 13:
            raise ImageRejectedError("bad luck")
        if level == 0:
            return []
        return [
            Detection("spot", 0.0, 0.0, float(level), 1.0, 0.9),
            Detection("spot", 1.0, 0.0, float(level), 1.0, 0.5),
        ]


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def write_gray(folder: Path, levels: dict[str, int]) -> pl.DataFrame:
    """Write an image of one gray level for each name; equal levels have equal content."""
    for name, level in levels.items():
        Image.new("RGB", (4, 4), (level, level, level)).save(folder / name)
    keys = [f"key{level:03}" for level in levels.values()]
    return pl.DataFrame({"content_key": keys, "path": list(levels)})


def test_a_broken_image_is_a_reject_and_the_rest_goes_on(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    images = write_gray(tmp_path, {"a.png": 10, "broken.png": 11, "gone.png": 12, "odd.png": 13})
    whole = (tmp_path / "broken.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "gone.png").unlink()
    block = detect_block(images, root=tmp_path, detector=BrightSpots(), pool=pool)
    assert block.rows["content_key"].to_list() == ["key010", "key010"]
    assert block.rejects["path"].to_list() == ["broken.png", "gone.png", "odd.png"]
    assert set(block.rejects["stage"]) == {"detect"}
    assert block.rejects["reason"][2] == "bad luck"
    # Only what no detector could ever see is noted as broken.
    assert block.broken["content_key"].to_list() == ["key011"]


def test_an_image_without_a_detection_is_remembered(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    images = write_gray(tmp_path, {"dark.png": 0, "light.png": 200})
    block = detect_block(images, root=tmp_path, detector=BrightSpots(), pool=pool)
    assert block.rows.rows() == [
        ("key000", None, None, None, None, None, None),
        ("key200", "spot", 0.0, 0.0, 200.0, 1.0, 0.9),
        ("key200", "spot", 1.0, 0.0, 200.0, 1.0, 0.5),
    ]


def test_the_same_content_is_processed_once(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    images = write_gray(tmp_path, {"a.png": 50, "b.png": 50, "c.png": 60})
    detector, shown = BrightSpots(), list[int]()
    detect_block(images, root=tmp_path, detector=detector, pool=pool, progress=shown.append)
    assert len(detector.calls) == sum(shown) == 2


def test_every_path_of_rejected_content_is_reported(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    images = write_gray(tmp_path, {"a.png": 13, "b.png": 13})
    block = detect_block(images, root=tmp_path, detector=BrightSpots(), pool=pool)
    assert block.rejects["path"].to_list() == ["a.png", "b.png"]
    assert block.rows.is_empty()


@pytest.mark.slow
@given(order=st.permutations(range(5)), cut=st.integers(0, 5))
def test_shards_give_the_same_whatever_the_order_and_the_blocks(
    order: list[int], cut: int, tmp_path_factory: pytest.TempPathFactory, pool: ThreadPoolExecutor
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    images = write_gray(folder, {f"{n}.png": 40 * n for n in range(5)})
    whole = detect_block(images, root=folder, detector=BrightSpots(), pool=pool).rows
    for part in (images[order[:cut]], images[order[cut:]]):
        block = detect_block(part, root=folder, detector=BrightSpots(), pool=pool)
        write_shard(block.rows, folder / "detections")
    assert read_stored_detections(folder / "detections").equals(whole)


def test_there_are_no_detections_before_the_first(tmp_path: Path) -> None:
    assert read_stored_detections(tmp_path / "none").is_empty()


def test_a_shard_that_something_else_wrote_is_reported(tmp_path: Path) -> None:
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(StoreError, match="shard cannot be read"):
        read_stored_detections(tmp_path)
