"""Detectors by group: average precision against pycocotools, a hand-made case and resampling."""

import contextlib
import io
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.exceptions import TableError
from pipeline.fairness.measure import Fairness, measure_fairness
from pipeline.tables import DETECTION_MATCHES, check
from tests.fairness.drawn_groups import row_of

Row = tuple[str, float, str, str | None]  # image, score, status, sample


def list_matches(rows: list[Row]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["path", "score", "status", "sample_id"], orient="row")
    named = {name: pl.lit(None) for name in DETECTION_MATCHES if name not in frame.columns}
    return check(
        frame.with_columns(**named).with_columns(category=pl.lit("person")),
        DETECTION_MATCHES,
        table="matches",
    )


def measure(groups: list[str], paths: list[str], rows: list[Row], **more: Any) -> Fairness:
    """Measure objects s0, s1, ... of one attribute; those that nothing found are missed."""
    ids = [f"s{i}" for i in range(len(groups))]
    found = {sample for _, _, status, sample in rows if status == "found"}
    return measure_fairness(
        pl.DataFrame({"sex": groups}), [float(i not in found) for i in ids], sensitive=["sex"],
        cluster_ids=pl.Series(paths), paths=pl.Series(paths), sample_ids=pl.Series(ids),
        matches=list_matches(rows), **more,
    )  # fmt: skip


def test_a_hand_made_case() -> None:
    rows: list[Row] = [
        ("one", 0.9, "found", "s0"),
        ("one", 0.8, "false positive", None),
        ("two", 0.7, "found", "s3"),
        ("one", 0.6, "found", "s1"),
        ("one", 0.5, "duplicate", "s1"),
        ("two", 0.4, "ignored", None),
        ("three", 0.3, "false positive", None),  # an image without objects
    ]
    found = measure(["w", "m", "w", "m"], ["one", "one", "two", "two"], rows)
    women = row_of(found.gaps, "average precision", sex="w")
    # Of two women one is found, first of all: precision 1 at the 51 recalls up to 0.5.
    assert women["value"] == pytest.approx(51 / 101)
    # Found 1 after half a false positive, 2 after no more: precision 2 / 2.5 at every recall.
    men = row_of(found.gaps, "average precision", sex="m")
    assert men["value"] == pytest.approx(2 / 2.5)
    assert men["difference"] == pytest.approx(2 / 2.5 - 51 / 101)
    # All four: 1 of 1; 2 of 3, 3 of 4 -> at least 3/4 up to recall 0.75.
    assert men["value"] - men["overall_difference"] == pytest.approx((26 + 50 * 0.75) / 101)
    assert (women["n"], women["state"], women["p"]) == (2, "insufficient evidence", None)
    recall = row_of(found.gaps, "recall", sex="w")
    assert (recall["value"], recall["rest_value"], recall["n"]) == (0.5, 1.0, 2)
    false = row_of(found.gaps, "false positives per image", sex="m")
    assert (false["value"], false["n"], false["rest_value"]) == (1.0, 2, None)
    assert false["overall_difference"] == 0.0  # the image without objects is nobody's
    assert "miss rate" not in found.gaps["metric"].to_list()


def test_false_positives_are_those_of_images_that_show_a_member() -> None:
    rows: list[Row] = [("a", 0.9, "wrong class", None), ("b", 0.9, "false positive", None),
                           ("b", 0.8, "duplicate", "s3"), ("d", 0.8, "ignored", None)]  # fmt: skip
    groups = ["w", "m", "w", "m", "m", "unknown"]
    found = measure(groups, ["a", "a", "b", "b", "c", "d"], rows)
    row = row_of(found.gaps, "false positives per image", sex="w")
    # Image d may show a woman: it is on neither side.
    assert (row["n"], row["value"], row["rest_value"]) == (2, 1.5, 0.0)
    assert row["value"] - row["overall_difference"] == pytest.approx(3 / 4)
    assert row_of(found.gaps, "average precision", sex="w")["value"] == 0.0
    assert any("Crowded images" in note for note in found.notes)


def test_the_best_group_is_the_one_with_the_highest_recall_and_fewest_false_positives() -> None:
    paths = [f"i{i % 60}" for i in range(120)]
    rows: list[Row] = [(f"i{i % 60}", 0.5, "found", f"s{i}") for i in range(0, 120, 3)]
    rows += [("i0", 0.1, "false positive", None)]
    found = measure(["w", "m"] * 60, paths, rows)
    for metric, best in (("recall", max), ("false positives per image", min)):
        both = [row_of(found.gaps, metric, sex=sex) for sex in "wm"]
        chosen = best(row["value"] for row in both)
        for row in both:
            assert row["best_difference"] == pytest.approx(row["value"] - chosen)
            assert row["state"] is None


def test_rows_of_whole_images_have_false_positives_alone() -> None:
    rows: list[Row] = [("a", 0.9, "false positive", None), ("b", 0.9, "found", None)]
    found = measure_fairness(
        pl.DataFrame({"light": ["day", "night"]}), [0.0, 1.0], sensitive=["light"],
        cluster_ids=pl.Series(["a", "b"]), paths=pl.Series(["a", "b"]),
        sample_ids=pl.Series(["s0", "s1"]), matches=list_matches(rows),
    )  # fmt: skip
    assert found.gaps["metric"].unique().sort().to_list() == ["error", "false positives per image"]
    assert row_of(found.gaps, "false positives per image", light="day")["value"] == 1.0


def test_another_error_than_misses_gets_the_miss_rate_beside_it() -> None:
    rows: list[Row] = [("a", 0.9, "found", "s0")]
    found = measure_fairness(
        pl.DataFrame({"sex": ["w", "m"]}), [0.3, 1.0], sensitive=["sex"],
        cluster_ids=pl.Series(["a", "b"]), paths=pl.Series(["a", "b"]),
        sample_ids=pl.Series(["s0", "s1"]), matches=list_matches(rows),
    )  # fmt: skip
    assert row_of(found.gaps, "miss rate", sex="w")["value"] == 0.0
    assert row_of(found.gaps, sex="w")["value"] == 0.3


def test_a_detector_that_says_nothing_has_no_precision() -> None:
    found = measure(["w", "m"] * 40, [f"i{i // 3}" for i in range(80)], [])
    row = row_of(found.gaps, "average precision", sex="w")
    assert (row["value"], row["ci_low"], row["difference"]) == (0.0, 0.0, 0.0)
    assert row["ci_high"] > 0.05


def test_matches_need_the_samples_they_are_about() -> None:
    matches = list_matches([("a", 0.5, "found", "s0")])
    with pytest.raises(TableError, match="pass sample_ids, and paths"):
        measure_fairness(pl.DataFrame({"sex": ["w"]}), [0.0], sensitive=["sex"], matches=matches)


def test_an_object_that_two_detections_found_is_refused() -> None:
    rows: list[Row] = [("a", 0.9, "found", "s0"), ("a", 0.5, "found", "s0")]
    with pytest.raises(TableError, match="more than one detection that found it"):
        measure(["w", "m"], ["a", "b"], rows)


def draw_boxes(rng: np.random.Generator) -> tuple[list[Any], list[Any]]:
    """Draw true boxes, and detections that are near them, twice, or nowhere."""
    truth: list[Any] = []
    results: list[Any] = []
    for image in range(1, 41):
        for k in range(int(rng.integers(1, 5))):
            x, y = rng.integers(0, 400, 2).tolist()
            box = [x, y, 60, 80]
            truth.append({"id": len(truth) + 1, "image_id": image, "category_id": 1, "bbox": box,
                          "area": 4800, "iscrowd": int(k > 0 and rng.random() < 0.2)})  # fmt: skip
            for _ in range(int(rng.integers(0, 3))):
                near = [x + rng.normal(0, 8), y + rng.normal(0, 8), 60, 80]
                results.append({"image_id": image, "category_id": 1, "bbox": near,
                                "score": float(rng.random())})  # fmt: skip
        for _ in range(int(rng.integers(0, 3))):
            away = [*(rng.random(2) * 400).tolist(), 50, 50]
            results.append({"image_id": image, "category_id": 1, "bbox": away,
                            "score": float(rng.random() * 0.7)})  # fmt: skip
    return truth, results


@pytest.mark.parametrize("seed", range(5))
def test_when_the_group_is_everything_average_precision_is_pycocotools(seed: int) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, results = draw_boxes(np.random.default_rng(seed))
    images = [{"id": i} for i in sorted({box["image_id"] for box in truth})]
    coco = COCO()
    coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": 1}]}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        scored = COCOeval(coco, coco.loadRes(results), "bbox")
        scored.params.iouThrs = np.array([0.5])
        scored.evaluate()
        scored.accumulate()
    want = scored.eval["precision"][0, :, 0, 0, 2].mean()
    rows: list[Row] = []
    for image in scored.evalImgs[: len(images)]:  # the first area range is all sizes
        matches = zip(image["dtMatches"][0], image["dtIgnore"][0], image["dtScores"], strict=True)
        for match, ignored, score in matches:
            status = "ignored" if ignored else "found" if match else "false positive"
            sample = f"t{int(match)}" if status == "found" else None
            rows.append((str(image["image_id"]), float(score), status, sample))
    objects = [box for box in truth if not box["iscrowd"]]
    ids = [f"t{box['id']}" for box in objects]
    paths = pl.Series([str(box["image_id"]) for box in objects])
    found = {row[3] for row in rows}
    gaps = measure_fairness(
        pl.DataFrame({"sex": ["w"] * len(ids)}), [float(one not in found) for one in ids],
        sensitive=["sex"], cluster_ids=paths, paths=paths, sample_ids=pl.Series(ids),
        matches=list_matches([row for row in rows if row[0] in set(paths)]),
    ).gaps  # fmt: skip
    # pycocotools also counts what is false where nothing is to be found; here each image has some.
    assert row_of(gaps, "average precision", sex="w")["value"] == pytest.approx(want, abs=1e-9)


def draw_detector(rng: np.random.Generator, images: int) -> tuple[list[str], list[str], list[Row]]:
    """Draw a detector that treats both groups alike; one group is rare."""
    groups: list[str] = []
    paths: list[str] = []
    rows: list[Row] = []
    for image in range(images):
        skill = rng.random()
        for _ in range(int(rng.integers(1, 6))):
            if rng.random() < 0.4 + 0.5 * skill:
                score = float(rng.normal(1 + skill, 1))
                rows.append((f"i{image}", score, "found", f"s{len(groups)}"))
            groups.append("rare" if rng.random() < 0.25 else "usual")
            paths.append(f"i{image}")
        false = rng.normal(0, 1, int(rng.poisson(2.0 - skill)))
        rows += [(f"i{image}", float(score), "false positive", None) for score in false]
    return groups, paths, rows


def test_a_rare_group_found_equally_well_has_the_same_average_precision() -> None:
    found = measure(*draw_detector(np.random.default_rng(1), 3000))
    row = row_of(found.gaps, "average precision", sex="rare")
    assert row["difference"] == pytest.approx(0.0, abs=0.03)
    assert row["difference_low"] < 0 < row["difference_high"]


@pytest.mark.slow
def test_the_interval_of_average_precision_is_that_of_resampled_images() -> None:
    rng = np.random.default_rng(0)
    groups, paths, rows = draw_detector(rng, 150)
    first = row_of(measure(groups, paths, rows).gaps, "average precision", sex="usual")
    objects: dict[str, list[int]] = {}
    for i, path in enumerate(paths):
        objects.setdefault(path, []).append(i)
    shown: dict[str, list[Row]] = {}
    for status in rows:
        shown.setdefault(status[0], []).append(status)
    drawn = []
    for _ in range(200):
        again: tuple[list[str], list[str], list[Row]] = ([], [], [])
        for k, image in enumerate(rng.integers(0, 150, 150)):
            own = objects[f"i{image}"]
            number = {f"s{i}": f"s{len(again[0]) + j}" for j, i in enumerate(own)}
            again[0].extend(groups[i] for i in own)
            again[1].extend(f"i{k}" for _ in own)
            for _, score, kind, sample in shown.get(f"i{image}", []):
                again[2].append((f"i{k}", score, kind, number.get(sample or "")))
        row = row_of(measure(*again).gaps, "average precision", sex="usual")
        drawn.append((row["value"], row["difference"]))
    values: NDArray[np.float64] = np.array(drawn)
    for name, column in (("ci", 0), ("difference", 1)):
        width = first[f"{name}_high"] - first[f"{name}_low"]
        low, high = np.quantile(values[:, column], [0.025, 0.975])
        assert width == pytest.approx(high - low, rel=0.25), name
