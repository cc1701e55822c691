"""YOLO datasets, written: data.yaml, a label file for each image, and the images beside them."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import polars as pl
import yaml

from pipeline.exceptions import DatasetError
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.written import Written, list_names, take_truth
from pipeline.samples.yolo.data_yaml import SPLITS
from pipeline.samples.yolo.label_paths import find_label_file


def write_yolo(sample_set: SampleSet, target: Path, *, root: Path) -> Written:
    """Write data.yaml, labels and, as hard links or copies, images of the asked categories.

    root: the folder that the paths of the sample set are relative to. YOLO labels hold no flags:
    crowds and ignored objects are left out and counted; boxes are cut off at the border of their
    image. The label file of an image without objects is empty. Images without a split, or of one
    that is not like train, val or test, go to train. Raises DatasetError if two images would share
    a label file or a file cannot be written.
    """
    images, objects, left_out = take_truth(sample_set)
    plain = objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    left_out["crowds_and_ignored"] = objects.height - plain.height
    try:
        _write_files(images, plain, list_names(sample_set), target, root=root)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, plain.height, left_out)


def _write_files(
    images: pl.DataFrame, objects: pl.DataFrame, names: Sequence[str], folder: Path, *, root: Path
) -> None:
    """Write the dataset into a folder.

    images: path, width, height, split. objects: path, category and x, y, w, h in pixels. names: of
    the classes, by index. Raises OSError, and DatasetError if two images would share a label file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    placed = _place_images(images)
    lines = _write_lines(objects, images, names)
    used: set[str] = set()
    for path, (split, inside) in placed.items():
        image = folder / "images" / split / inside
        image.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(root / path, image)
        used.add(split)
        label = Path(find_label_file(str(image)))
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(lines.get(path, ""), encoding="utf-8")
    content = {
        "path": str(folder.absolute()),
        **{split: f"images/{split}" for split in SPLITS if split in used},
        "names": dict(enumerate(names)),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def _place_images(images: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the split of each path and where it goes under it; folders `images` are dropped.

    The last folder `images` of a path decides where its label file is: there must be one only.
    """
    placed: dict[str, tuple[str, str]] = {}
    owners: dict[tuple[str, str], str] = {}
    for path, named in images.select("path", "split").iter_rows():
        split = next((one for one in SPLITS if named and named.startswith(one)), "train")
        parts = [part for part in PurePosixPath(path).parts if part != "images"]
        if len(parts) > 1 and parts[0] == split:
            del parts[0]
        inside = PurePosixPath(*parts)
        owner = owners.setdefault((split, str(inside.with_suffix(""))), path)
        if owner is not path:
            raise DatasetError(
                f"{owner} and {path} would share a label file in the split {split!r}; "
                "rename one of the images"
            )
        placed[path] = (split, str(inside))
    return placed


def _write_lines(
    objects: pl.DataFrame, images: pl.DataFrame, names: Sequence[str]
) -> dict[str, str]:
    """Return the label lines of each path: class and box, cut off at the border of the image."""
    sized = objects.join(images.select("path", "width", "height"), on="path", maintain_order="left")
    left, right = pl.col("x").clip(0), pl.min_horizontal(pl.col("x") + pl.col("w"), "width")
    top, bottom = pl.col("y").clip(0), pl.min_horizontal(pl.col("y") + pl.col("h"), "height")
    index = {name: str(number) for number, name in enumerate(names)}
    shares = sized.select(
        "path",
        pl.col("category").replace_strict(index, return_dtype=pl.String).alias("class"),
        ((left + right) / 2 / pl.col("width")).alias("cx"),
        ((top + bottom) / 2 / pl.col("height")).alias("cy"),
        ((right - left) / pl.col("width")).alias("w"),
        ((bottom - top) / pl.col("height")).alias("h"),
    )
    lines: dict[str, str] = {}
    for path, number, *values in shares.iter_rows():
        written = " ".join(f"{value:.9g}" for value in values)
        lines[path] = f"{lines.get(path, '')}{number} {written}\n"
    return lines


def _link_or_copy(source: Path, target: Path) -> None:
    """Make a file appear in a second place without using space where the disk allows it."""
    try:
        os.link(source.resolve(), target)  # of a link itself, a relative one would lead elsewhere
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
