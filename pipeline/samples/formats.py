"""The functions that read and write each format of datasets, by its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.config.dataset import Dataset
from pipeline.samples.coco.reader import list_coco
from pipeline.samples.coco.writer import write_coco
from pipeline.samples.folder import list_folder
from pipeline.samples.image_table import list_table
from pipeline.samples.sample_set import Listing, SampleSet
from pipeline.samples.voc.reader import list_voc
from pipeline.samples.voc.writer import write_voc
from pipeline.samples.written import Written
from pipeline.samples.yolo.reader import list_yolo
from pipeline.samples.yolo.writer import write_yolo


@dataclass(frozen=True)
class Format:
    """How a dataset format is read and, where it has boxes, written.

    read: lists what the dataset's own files name, before any image is opened. write: takes a sample
    set, a new file or folder (see makes), and the folder that sample paths are relative to.
    """

    read: Callable[[Dataset], Listing]
    write: Callable[[SampleSet, Path, Path], Written] | None = None
    makes: Literal["file", "folder"] = "folder"


FORMATS: Mapping[str, Format] = {
    "folder": Format(list_folder),
    "table": Format(list_table),
    "coco": Format(list_coco, lambda samples, file, _: write_coco(samples, file), makes="file"),
    "yolo": Format(list_yolo, lambda samples, folder, root: write_yolo(samples, folder, root=root)),
    "voc": Format(list_voc, lambda samples, folder, _: write_voc(samples, folder)),
}
