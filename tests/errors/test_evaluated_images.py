"""A detector as a whole is judged in all images that were read."""

from pathlib import Path

from tests.errors.detections import BOX, FAR, detection, score
from tests.errors.frames import images, true_object, truth_frame, with_objects

TRUTH = truth_frame(
    [true_object(1, 2, BOX), true_object(2, 3, BOX, crowd=True), true_object(3, 6, BOX)]
)
FOUND = [detection(number, BOX) for number in (1, 2, 3, 7)]


def test_images_without_an_object_count_in_an_audit_of_objects(tmp_path: Path) -> None:
    scored = score(tmp_path, FOUND, TRUTH, with_objects(TRUTH))
    assert scored.evaluation is not None
    statuses = dict(scored.evaluation.matches.select("path", "status").iter_rows())
    assert statuses == {
        "1.png": "false positive", "2.png": "found", "3.png": "ignored", "7.png": "false positive"
    }  # fmt: skip
    assert scored.matches is not None
    assert scored.matches["path"].to_list() == ["2.png"]  # errors are of objects alone
    assert sorted(scored.evaluation.truth["annotation_id"]) == ["1", "2", "3"]


def test_images_beyond_a_limit_do_not_count(tmp_path: Path) -> None:
    first = with_objects(TRUTH).filter(path="2.png")
    scored = score(tmp_path, FOUND, TRUTH, first)
    assert scored.evaluation is not None
    assert sorted(scored.evaluation.matches["path"]) == ["1.png", "2.png"]


def test_in_an_audit_of_images_the_samples_are_all_images(tmp_path: Path) -> None:
    found = [*FOUND, detection(9, FAR)]
    scored = score(tmp_path, found, TRUTH, images([f"{n}.png" for n in range(1, 8)]))
    assert scored.evaluation is not None
    assert sorted(scored.evaluation.matches["path"]) == ["1.png", "2.png", "3.png", "7.png"]
