"""COCO objects with a segmentation but no box: they get the box around it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as peer

from pipeline.samples.coco.outlines import frame_outline
from tests.samples.coco_folder import read, reasons
from tests.samples.datasets import annotation, coco

TRIANGLE = [[2, 3, 22, 3, 12, 18]]


def leave_out_box(number: int, **more: object) -> dict[str, Any]:
    record = annotation(number, 1, (1, 1, 9, 9), **more)
    del record["bbox"]
    return record


def test_an_object_without_a_box_gets_that_of_its_segmentation(tmp_path: Path) -> None:
    rle = {"size": [24, 32], "counts": [24 * 2 + 3, 15, 9, 15, 24 * 28 + 6]}
    found = read(
        tmp_path,
        coco(
            {1: "a.png"},
            [
                leave_out_box(1, segmentation=TRIANGLE),
                leave_out_box(2, segmentation=rle),
                {**leave_out_box(3, segmentation=TRIANGLE), "bbox": None},
                {**leave_out_box(4, segmentation=TRIANGLE), "bbox": []},
                annotation(5, 1, (1, 1, 9, 9), segmentation=TRIANGLE),
            ],
        ),
        sample="object",
        crop={"min_size": 1},
    )
    assert found.objects.select("annotation_id", "x", "y", "w", "h").rows() == [
        ("1", 2.0, 3.0, 20.0, 15.0),
        ("2", 2.0, 3.0, 2.0, 15.0),
        ("3", 2.0, 3.0, 20.0, 15.0),
        ("4", 2.0, 3.0, 20.0, 15.0),
        ("5", 1.0, 1.0, 9.0, 9.0),
    ]
    assert found.counts["boxes_from_segmentation"] == 4


@pytest.mark.parametrize(
    "segmentation",
    [
        None, [], [[]], [[1, 2]], [[1, 2, 3, 4, 5]], [["a"] * 6], [[1, 2, float("nan"), 4, 5, 6]],
        [TRIANGLE[0], 7], "text", 7, {}, {"size": [24, 32]}, {"size": [24], "counts": [1]},
        {"size": [24, 32], "counts": [5, -1]}, {"size": [24, 32], "counts": [768]},
        {"size": [24, 32], "counts": [0, 769]}, {"size": [1 << 40, 1 << 40], "counts": [0, 1]},
        {"size": [24, 32], "counts": "\n"}, {"size": [24, 32], "counts": "o" * 99},
        {"size": [24, 32], "counts": ["a"]}, {"size": [True, 32], "counts": [0, 1]},
    ],
)  # fmt: skip
def test_a_segmentation_without_a_box_is_none(segmentation: object) -> None:
    assert frame_outline(segmentation) is None


def test_an_object_with_neither_is_rejected(tmp_path: Path) -> None:
    records = [annotation(1, 1, (2, 3, 20, 15)), leave_out_box(2, segmentation=[])]
    found = read(tmp_path, coco({1: "a.png"}, records))
    assert reasons(found) == ["truth.json annotations[1]: bbox is missing"]


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda size: st.lists(
            st.lists(st.booleans(), min_size=size[1], max_size=size[1]),
            min_size=size[0],
            max_size=size[0],
        )
    )
)
def test_masks_have_the_box_of_their_pixels_and_text_is_decoded_as_the_peer_wrote_it(
    rows: list[list[bool]],
) -> None:
    mask = np.array(rows, dtype=np.uint8)  # (h, w)
    encoded = peer.encode(np.asfortranarray(mask))
    text = {"size": list(encoded["size"]), "counts": encoded["counts"].decode("ascii")}
    ys, xs = np.nonzero(mask)
    box = None
    if xs.size:
        box = [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
    # A run that goes on into the next column covers both ends of it, here as for the peer.
    found = frame_outline(text)
    assert (found is None) == (box is None)
    if found is not None:
        assert found == peer.toBbox(encoded).tolist()
        assert found[0::2] == [box[0], box[2]]  # type: ignore[index] # not None either


def test_a_large_mask_of_many_runs_is_decoded() -> None:
    mask = np.random.default_rng(3).random((480, 640)) < 0.3
    mask[:, :100] = mask[:50] = False
    encoded = peer.encode(np.asfortranarray(mask.astype(np.uint8)))
    found = frame_outline({"size": [480, 640], "counts": encoded["counts"].decode("ascii")})
    assert found == peer.toBbox(encoded).tolist()
