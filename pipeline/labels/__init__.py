"""The labels table: what each attribute says about each sample.

Attribute files are read by `attribute_file`; `zero_shot`, `measured` and `given` make labels from
prompts, numbers and columns; `truth` reads true values and `quality` compares labels with them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.labels.attribute_file import (
        Attribute,
        check_attribute,
        find_shipped,
        hash_attribute,
        list_shipped,
        make_given,
        make_label_id,
        read_attribute,
        read_attributes,
    )
    from pipeline.labels.given import label_given, select_targets
    from pipeline.labels.measured import (
        bin_values,
        get_raw_measure,
        list_bins,
        needs_boxes,
        resolve_edges,
        take_values,
    )
    from pipeline.labels.quality import count_confusion, measure_agreement, measure_values
    from pipeline.labels.truth import TruthLabels, read_truth
    from pipeline.labels.zero_shot import Prototypes, label_samples, list_prompts, make_prototypes

# Loaded when first asked for, so that importing the package costs nothing.
_HOMES = {
    "Attribute": "attribute_file",
    "Prototypes": "zero_shot",
    "TruthLabels": "truth",
    "bin_values": "measured",
    "check_attribute": "attribute_file",
    "count_confusion": "quality",
    "find_shipped": "attribute_file",
    "get_raw_measure": "measured",
    "hash_attribute": "attribute_file",
    "label_given": "given",
    "label_samples": "zero_shot",
    "list_bins": "measured",
    "list_prompts": "zero_shot",
    "list_shipped": "attribute_file",
    "make_given": "attribute_file",
    "make_label_id": "attribute_file",
    "make_prototypes": "zero_shot",
    "measure_agreement": "quality",
    "measure_values": "quality",
    "needs_boxes": "measured",
    "read_attribute": "attribute_file",
    "read_attributes": "attribute_file",
    "read_truth": "truth",
    "resolve_edges": "measured",
    "select_targets": "given",
    "take_values": "measured",
}

__all__ = [
    "Attribute",
    "Prototypes",
    "TruthLabels",
    "bin_values",
    "check_attribute",
    "count_confusion",
    "find_shipped",
    "get_raw_measure",
    "hash_attribute",
    "label_given",
    "label_samples",
    "list_bins",
    "list_prompts",
    "list_shipped",
    "make_given",
    "make_label_id",
    "make_prototypes",
    "measure_agreement",
    "measure_values",
    "needs_boxes",
    "read_attribute",
    "read_attributes",
    "read_truth",
    "resolve_edges",
    "select_targets",
    "take_values",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
