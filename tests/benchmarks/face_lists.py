"""What is found of the Haar cascade by true attributes, by labels, and by corrected labels."""

import json

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.slices.corrected_findings import correct_predicates
from pipeline.slices.hidden_slices import find_hidden_slices
from pipeline.slices.known_labels import KnownLabels
from tests.benchmarks.face_vectors import FACES, Faces
from tests.benchmarks.label_steps import Predicates, name_slice, search_labels
from tests.benchmarks.weak_worlds import find_members

_IOU = 0.3
_FEWEST = 50  # faces of a slice whose error is compared


def read_misses(faces: Faces) -> Floats:
    """Return (n,) 1 where no detection of OpenCV's frontal-face cascade overlaps the face."""
    truth = json.loads((FACES / "faces.json").read_text())
    ids = {image["id"]: image["file_name"] for image in truth["images"]}
    boxes = {ids[one["image_id"]]: one["bbox"] for one in truth["annotations"]}
    found = set()
    for one in json.loads((FACES / "haar_detections.json").read_text()):
        name = ids[one["image_id"]]
        if _overlap(one["bbox"], boxes[name]) > _IOU:
            found.add(name)
    return np.array([float(name not in found) for name in faces.names])


def compare_lists(
    truth: pl.DataFrame, labels: pl.DataFrame, known: KnownLabels, errors: Floats
) -> dict[str, float]:
    """Return Jaccard of findings, and RMSE of the errors of slices, without and with correction.

    truth, labels: n rows, a column for each attribute, truth null where it is not known. Findings
    are those of level 1 and 2; corrected ones are those that stay above the rest, and slices worth
    checking. Slices compared: all of level 1 and 2 with at least 50 faces by truth and by labels;
    a slice that can only be bounded is compared as labelled. Slices of attributes whose true value
    is not known of every face are measured apart: their labels are of all faces.
    """
    true_found = name_all(search_labels(truth.fill_null("unknown"), errors).findings)
    result = search_labels(labels, errors)
    corrected = correct_predicates(known, result.findings["predicates"].to_list(), seed=0)
    kept = corrected.filter(pl.col("corrected_difference_low") > 0)
    hidden = find_hidden_slices(known, result.findings, counted=result.family.height)
    slices = list_slices(truth)
    both = [one for one in slices if count(labels, one) >= _FEWEST]
    frame = correct_predicates(known, both, seed=0)
    fixed = frame["corrected_error"].to_list()
    true = np.array([errors[find_members(truth, one)].mean() for one in both])
    seen = np.array([errors[find_members(labels, one)].mean() for one in both])
    mended = np.array([s if c is None else c for s, c in zip(seen, fixed, strict=True)])
    low, high = (frame[f"corrected_{end}"].to_numpy() for end in ("low", "high"))
    whole = np.array([all(not truth[one["attribute"]].null_count() for one in pair)
                      for pair in both])  # fmt: skip
    single = whole & np.array([len(one) == 1 for one in both])
    held = (low <= true) & (true <= high)
    rows: dict[str, float] = {
        "findings": len(true_found),
        "Jaccard by labels": jaccard(true_found, name_all(result.findings)),
        "Jaccard corrected": jaccard(true_found, name_all(kept) | name_all(hidden)),
    }
    for what, some in (("slices", whole), ("level 1", single), ("truth open", ~whole)):
        rows[what] = int(some.sum())
        rows[f"{what} RMSE by labels"] = _measure_rmse((seen - true)[some])
        rows[f"{what} RMSE corrected"] = _measure_rmse((mended - true)[some])
        rows[f"{what} intervals hold"] = float(held[some].mean())
    return rows | {"bounded": float(np.mean([one is None for one in fixed]))}


def _measure_rmse(differences: Floats) -> float:
    return float(np.sqrt(np.mean(differences**2)))


def list_slices(truth: pl.DataFrame) -> list[Predicates]:
    """List the slices of level 1 and 2 with at least 50 faces by truth."""
    singles = [[{"attribute": name, "value": value}] for name in truth.columns
               for value in sorted(truth[name].drop_nulls().unique())]  # fmt: skip
    pairs = [one + other for i, one in enumerate(singles) for other in singles[i + 1 :]
             if one[0]["attribute"] != other[0]["attribute"]]  # fmt: skip
    return [one for one in [*singles, *pairs] if count(truth, one) >= _FEWEST]


def count(table: pl.DataFrame, predicates: Predicates) -> int:
    """Count the rows of a slice."""
    return int(find_members(table, predicates).sum())


def name_all(frame: pl.DataFrame) -> set[frozenset[tuple[str, str]]]:
    """Return the slices of a table as a set."""
    return {name_slice(predicates) for predicates in frame["predicates"].to_list()}


def jaccard(one: set[frozenset[tuple[str, str]]], other: set[frozenset[tuple[str, str]]]) -> float:
    """Return the share of slices in both among those in either; 1 where there are none."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _overlap(one: list[float], other: list[float]) -> float:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    inner = max(right - left, 0) * max(bottom - top, 0)
    return inner / (one[2] * one[3] + other[2] * other[3] - inner)


def print_groups(
    truth: pl.DataFrame, table: pl.DataFrame, judged: KnownLabels, errors: Floats
) -> None:
    """Print the errors of hats, and the gaps of gender and age, by truth, labels and corrected."""
    slices = [[{"attribute": name, "value": value}]
              for name, value in (("hat", "yes"), ("gender", "man"), ("young", "no"))]  # fmt: skip
    for predicates, row in zip(
        slices, correct_predicates(judged, slices, seed=0).iter_rows(named=True), strict=True
    ):
        name = f"{predicates[0]['attribute']} = {predicates[0]['value']}"
        cells = []
        for frame in (truth, table):
            inside = find_members(frame, predicates)
            cells.append((errors[inside].mean(), errors[inside].mean() - errors[~inside].mean()))
        low, high = row["corrected_low"], row["corrected_high"]
        gap = [row[f"corrected_difference{end}"] for end in ("_low", "_high")]
        print(f"    {name:12} true {cells[0][0]:.3f}, labels {cells[1][0]:.3f}, corrected "
              f"[{low:.3f}, {high:.3f}]; gap true {cells[0][1]:+.3f}, labels {cells[1][1]:+.3f}, "
              f"corrected [{gap[0]:+.3f}, {gap[1]:+.3f}]", flush=True)  # fmt: skip
