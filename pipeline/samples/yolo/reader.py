"""YOLO datasets: a data.yaml, folders or lists of images, and a label file beside each image."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.json_file import shorten
from pipeline.samples.categories import name_categories, take_originals
from pipeline.samples.files import FILES_PER_TASK
from pipeline.samples.folder import Found, check_folders, walk_folder
from pipeline.samples.image_names import choose_ids, name_images
from pipeline.samples.objects import sort_objects
from pipeline.samples.paths import Links, list_links
from pipeline.samples.sample_set import (
    CATEGORIES,
    IMAGES,
    Listing,
    make_rejects,
    reject_rows,
)
from pipeline.samples.yolo.data_yaml import YoloConfig, read_yolo_config
from pipeline.samples.yolo.label_files import parse_labels
from pipeline.samples.yolo.label_paths import (
    find_image_folders,
    find_label_file,
    list_unused_labels,
)
from pipeline.tables import OBJECTS, SOURCE_IMAGES

_READERS = 16  # threads that read label files
_LONGEST_PATH = 4096  # bytes of a line in a list of images


@dataclass
class _Listed:
    """The images that the data.yaml files list, in their order."""

    sources: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # absolute
    paths: list[str] = field(default_factory=list)  # relative to the dataset's root
    owners: dict[str, str] = field(default_factory=dict)  # path -> where it is listed
    rejects: list[tuple[str, str]] = field(default_factory=list)
    folders: dict[Path, None] = field(default_factory=dict)  # of images, as the files name them
    hidden: int = 0
    other_suffix: int = 0


def list_yolo(dataset: Dataset) -> Listing:
    """List the images and objects of YOLO datasets, as their data.yaml files name them.

    `split` takes train, val or test; without it all are read and a row's split is that name. The
    label file of an image is where Ultralytics expects it: the last folder `images` of its
    path becomes `labels`. An image without one has no objects; a label file without an image is a
    reject. Boxes stay in shares of the image. A folder that data.yaml names may be a link.
    Raises DatasetError if a data.yaml cannot be read, if its images lie outside the images folder,
    or if no label file is found at all.
    """
    check_folders(dataset)
    listed, configs, links = _Listed(), [], list_links(dataset)
    for source, file in enumerate(dataset.annotations):
        folder = dataset.images[source]
        config = read_yolo_config(file, images=folder, split=dataset.split)
        configs.append(config)
        for split, places in config.splits.items():
            for place in places:
                _list_place(place, split, source, config, dataset, links, listed)
    images = pl.DataFrame(
        {"source": listed.sources, "path": listed.paths, "split": listed.splits},
        schema={"source": pl.Int64(), "path": pl.String(), "split": pl.String()},
    ).with_row_index("file")
    names = _name_images(images, len(configs))
    texts, faults = _read_label_files(listed)
    if listed.files and not faults and all(text is None for text in texts):
        raise DatasetError(
            f"{dataset.annotations[0]}: none of the {len(texts)} images has a label file; "
            f"expected e.g. {find_label_file(listed.files[0])}"
        )
    objects, rejects = _read_objects(images, texts, configs, names)
    unused = list_unused_labels(listed.files, texts, listed.folders, root=dataset.root)
    objects, categories = name_categories(dataset, objects, _list_categories(configs))
    empty = pl.lit(None, dtype=pl.Int64)
    rows = images.with_columns(
        pl.lit(None, dtype=pl.String).alias("category"),
        empty.alias("stated_width"),
        empty.alias("stated_height"),
    )
    return Listing(
        images=rows.select(list(IMAGES)).sort("path"),
        rejects=pl.concat([make_rejects([*listed.rejects, *faults, *unused]), rejects]),
        counts={
            "hidden": listed.hidden,
            "other_suffix": listed.other_suffix,
            "images_without_label_file": sum(text is None for text in texts) - len(faults),
            "label_files_without_image": len(unused),
        },
        objects=sort_objects(objects.select(list(OBJECTS))),
        source_images=pl.concat(names).select(list(SOURCE_IMAGES)).sort("source", "path"),
        categories=categories,
        object_extra=take_originals(objects),
        normalized=True,
        link_roots=(*listed.folders, *find_image_folders(listed.files)),
    )


def _list_place(
    place: Path,
    split: str,
    source: int,
    config: YoloConfig,
    dataset: Dataset,
    links: Links,
    listed: _Listed,
) -> None:
    """Add the images of a folder or of a .txt list to `listed`."""
    folder = dataset.images[source]
    if place.is_dir():
        if not place.is_relative_to(folder):
            raise DatasetError(
                f"{config.path}: {split}: {place} lies outside the images folder {folder}; "
                f'set images = "{os.path.commonpath([place, folder])}" in [dataset]'
            )
        listed.folders[place] = None
        entries = _walk(place, listed, links)
    else:
        entries = _read_list(place, config, listed)
    allowed, before = (f"{str(top).rstrip(os.sep)}{os.sep}" for top in (folder, dataset.root))
    for file, where in entries:
        if not file.startswith(allowed):
            reason = f"{where}: lies outside the images folder {folder}"
            listed.rejects.append((shorten(file), reason))
            continue
        path = file.removeprefix(before).replace(os.sep, "/")
        owner = listed.owners.setdefault(path, where)
        if owner is not where:
            reason = f"{where}: the image is also in {owner}, which counts"
            listed.rejects.append((path, reason))
            continue
        listed.sources.append(source)
        listed.splits.append(split)
        listed.files.append(file)
        listed.paths.append(path)


def _walk(place: Path, listed: _Listed, links: Links) -> Iterator[tuple[str, str]]:
    found = Found()
    walk_folder(place, found, links)
    listed.rejects += found.rejects
    listed.hidden += found.hidden
    listed.other_suffix += found.other_suffix
    for path in sorted(found.paths):
        file = f"{place}{os.sep}{path}"
        yield file, file


def _read_list(place: Path, config: YoloConfig, listed: _Listed) -> Iterator[tuple[str, str]]:
    """Read a list of images: from `path` of the data.yaml, or with "./" from the list's folder."""
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{place}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{place}: byte {error.start} is not UTF-8") from None
    base: Path | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        where = f"{place.name} line {number}"
        if not line:
            continue
        if len(line.encode()) > _LONGEST_PATH or "\0" in line:
            listed.rejects.append((shorten(line[:40]), f"{where}: is no path of an image"))
            continue
        if base is None and not line.startswith("./"):
            bases = (*config.bases, place.parent)
            base = next((one for one in bases if (one / line).is_file()), bases[0])
        start = place.parent if line.startswith("./") or base is None else base
        yield os.path.normpath(start / line), where


def _read_label_files(listed: _Listed) -> tuple[list[str | None], list[tuple[str, str]]]:
    """Read the label file of each image: null where there is none, or where it is a fault."""
    starts = range(0, len(listed.files), FILES_PER_TASK)
    blocks = [listed.files[start : start + FILES_PER_TASK] for start in starts]
    texts: list[str | None] = []
    faults: list[tuple[str, str]] = []
    with ThreadPoolExecutor(_READERS, thread_name_prefix="labels") as pool:
        for block in pool.map(lambda images: [_read_text(image) for image in images], blocks):
            for text, fault in block:
                if fault is not None:
                    faults.append((listed.paths[len(texts)], fault))
                texts.append(text)
    return texts, faults


def _read_text(image: str) -> tuple[str | None, str | None]:
    """Return the content of an image's label file, null where there is none, and what is wrong."""
    try:
        with open(find_label_file(image), "rb") as file:  # noqa: PTH123 - a third of a Path's cost
            return file.read().decode("utf-8-sig"), None
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"its label file cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        return None, f"its label file cannot be read: byte {error.start} is not UTF-8"


def _read_objects(
    images: pl.DataFrame,
    texts: list[str | None],
    configs: list[YoloConfig],
    names: list[pl.DataFrame],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return OBJECTS with boxes in shares of the image, and rejects of lines."""
    objects, rejects = [], []
    for source, config in enumerate(configs):
        own = images.filter(pl.col("source") == source)
        chosen = [texts[row] for row in own["file"]]
        own = own.join(choose_ids(names[source]), on="path", how="left", maintain_order="left")
        own = own.with_columns(file=pl.int_range(pl.len(), dtype=pl.Int64))
        read = parse_labels(chosen, names=list(config.names), keypoints=config.keypoints)
        category = pl.col("category_id").replace_strict(config.names, return_dtype=pl.String)
        found = read.objects.join(own, on="file", how="inner", maintain_order="left")
        objects.append(
            found.with_columns(
                category.alias("category"),
                pl.format("{}:{}", "image_id", "line").alias("annotation_id"),
                pl.lit(False).alias("crowd"),  # noqa: FBT003 - a literal of an expression
                pl.lit(False).alias("ignore"),  # noqa: FBT003 - a literal of an expression
            ).select(list(OBJECTS))
        )
        bad = read.faults.join(own, on="file", how="inner", maintain_order="left")
        where = pl.format("line {} of its label file: {}", "line", "reason")
        rejects.append(reject_rows(bad.select("path", where)))
    return pl.concat(objects), pl.concat(rejects)


def _name_images(images: pl.DataFrame, sources: int) -> list[pl.DataFrame]:
    frames = []
    for source in range(sources):
        own = images.filter(pl.col("source") == source)
        names = name_images(own["path"])
        frames.append(names.with_columns(pl.lit(source, dtype=pl.Int64).alias("source")))
    return frames


def _list_categories(configs: list[YoloConfig]) -> pl.DataFrame:
    rows = [
        (source, index, name, True)
        for source, config in enumerate(configs)
        for index, name in config.names.items()
    ]
    return pl.DataFrame(rows, schema=dict(CATEGORIES), orient="row")
