"""The labels table: what each attribute says about each sample.

Attribute files are read by `attribute_file`; `zero_shot`, `measured` and `given` make labels from
prompts, numbers and columns; `truth` reads true values and `quality` compares labels with them.
"""

import importlib
from typing import Any

# Loaded when first asked for, so that importing the package costs nothing.
_HOME = {
    "Attribute": "attribute_file",
    "check_attribute": "attribute_file",
    "find_shipped": "attribute_file",
    "hash_attribute": "attribute_file",
    "list_shipped": "attribute_file",
    "make_given": "attribute_file",
    "make_label_id": "attribute_file",
    "read_attribute": "attribute_file",
    "read_attributes": "attribute_file",
    "Prototypes": "zero_shot",
    "label_samples": "zero_shot",
    "list_prompts": "zero_shot",
    "make_prototypes": "zero_shot",
    "bin_values": "measured",
    "get_raw_measure": "measured",
    "list_bins": "measured",
    "resolve_edges": "measured",
    "take_values": "measured",
    "label_given": "given",
    "select_targets": "given",
    "TruthLabels": "truth",
    "read_truth": "truth",
    "count_confusion": "quality",
    "measure_agreement": "quality",
    "measure_values": "quality",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
