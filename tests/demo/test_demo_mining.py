"""Images of a written world are labelled by its truth, to be trained with."""

import csv
from pathlib import Path

from pipeline.demo.system import read_labelled
from pipeline.demo.world import write_world


def test_images_are_read_with_their_own_boxes_in_the_order_asked_for(tmp_path: Path) -> None:
    world = write_world(tmp_path, images=5, seed=3)
    labelled = read_labelled(world.annotations, world.images, ["0000003.jpg", "0000000.jpg"])
    with world.attributes.open() as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    assert [len(boxes) for boxes in labelled.boxes] == [
        paths.count("0000003.jpg"),
        paths.count("0000000.jpg"),
    ]
    assert [pixels.shape for pixels in labelled.pixels] == [(112, 160, 3)] * 2
    assert all(w > 0 and h > 0 for boxes in labelled.boxes for _, _, w, h in boxes)
