"""The formats of datasets that audit.toml can name, and the keys of [dataset] that each needs.

How a format is read and written is in `pipeline.samples.formats`, under the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.files.toml_file import list_options


@dataclass(frozen=True)
class DatasetFormat:
    """One format of datasets.

    name: as `format` in [dataset] names it. annotations: what that key lists, one for each images
    folder; None for a format without true boxes, which does not take the key. needs_table: whether
    `table` is needed; others do not take it. images_beside_annotations: whether `images` may be
    left out, since the images are in the folders of the annotation files. has_class_numbers:
    whether classes have numbers, as the label files of "yolo-detections" name them.
    """

    name: str
    annotations: Literal["files", "folders"] | None = None
    needs_table: bool = False
    images_beside_annotations: bool = False
    has_class_numbers: bool = False

    @property
    def has_boxes(self) -> bool:
        """Whether the format states where objects are."""
        return self.annotations is not None


_FORMATS = (
    DatasetFormat("folder"),
    DatasetFormat("table", needs_table=True),
    DatasetFormat("coco", annotations="files"),
    DatasetFormat(
        "yolo", annotations="files", images_beside_annotations=True, has_class_numbers=True
    ),
    DatasetFormat("voc", annotations="folders"),
)
FORMATS: Mapping[str, DatasetFormat] = {one.name: one for one in _FORMATS}


def list_formats(*, quote: str = '"', with_boxes: bool = False) -> str:
    """Return the names of the formats, or of those with true boxes, as "a", "b" or "c"."""
    names = [one.name for one in _FORMATS if one.has_boxes or not with_boxes]
    return list_options(names, quote=quote)
