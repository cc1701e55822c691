"""The outputs of a system, counted by what scoring found them to be, in words."""

from collections.abc import Mapping

# The notes that are counts, in the order to show them.
OUTPUT_WORDS: Mapping[str, str] = {
    "detections": "detections",
    "detections_found": "found an object",
    "detections_duplicate": "duplicates",
    "detections_wrong_class": "of a wrong class",
    "detections_false_positive": "false positives",
    "detections_ignored": "on crowds and ignored objects",
    "detections_of_unknown_category": "of unknown categories",
    "detections_of_other_categories": "of categories not asked for",
    "detections_below_min_score": "below min_score",
    "detections_of_other_images": "of images that the dataset does not have",
    "detections_of_images_left_out": "of images that were left out",
    "objects": "objects",
    "objects_missed": "missed",
    "rows_of_unknown_classes": "rows of unknown classes",
    "rows_that_disagree": "rows whose prediction is not their most probable class",
}


def count_outputs(notes: Mapping[str, object]) -> dict[str, int]:
    """Return the counts among the notes of a scored system, by their words."""
    counts = {name: notes.get(name) for name in OUTPUT_WORDS}
    return {OUTPUT_WORDS[name]: n for name, n in counts.items() if isinstance(n, int)}
