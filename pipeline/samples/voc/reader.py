"""Pascal VOC datasets: folders of XML files, one an image, and folders of images."""

import posixpath
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.categories import ORIGINAL, name_categories
from pipeline.samples.files import FILES_PER_TASK
from pipeline.samples.folder import Found, check_folders, folder_prefix, walk_folder
from pipeline.samples.image_names import choose_ids, name_images
from pipeline.samples.objects import sort_objects
from pipeline.samples.paths import Links, PathRefusedError, clean_path, list_links
from pipeline.samples.sample_set import CATEGORIES, IMAGES, Listing, make_rejects, reject_rows
from pipeline.samples.voc.annotation_file import VocFile, VocRefusedError, read_voc_file
from pipeline.samples.voc.image_sets import read_set
from pipeline.samples.voc.objects import EXTRA, PLACED, place_objects
from pipeline.tables import OBJECTS, SOURCE_IMAGES

_READERS = 8  # threads that read files; parsing holds the lock
_LARGEST_SIDE = 1_000_000  # pixels, as for COCO


@dataclass
class _Gathered:
    """What is gathered over the annotation files, in their order."""

    images: list[tuple[int, str, int | None, int | None]] = field(default_factory=list)
    objects: list[tuple[int, str, int, str | None, *tuple[str | None, ...]]] = field(
        default_factory=list
    )
    rejects: list[tuple[str, str]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # path -> annotation file
    other_split: int = 0
    images_without_annotation: int = 0
    skipped: int = 0  # files with another suffix


def list_voc(dataset: Dataset) -> Listing:
    """List the images and objects of Pascal VOC annotations, each folder with its images folder.

    Corners count pixels from 1 and belong to the box, as in the original development kit, unless
    `corners` says otherwise; files that do not look so are counted and noted. `difficult` objects
    are ignored ones; truncated, occluded and pose become columns. The image is the file that
    <filename> names, else the one with the stem of the XML file. `split` names
    ImageSets/Main/SPLIT.txt beside the annotations where there are such sets. Raises DatasetError
    if a folder or set is missing, or no XML file is found.
    """
    check_folders(dataset)
    gathered = _Gathered()
    for source, folder in enumerate(dataset.annotations):
        _gather_folder(folder, source, dataset, gathered)
    images = pl.DataFrame(
        gathered.images,
        schema={
            "source": pl.Int64(),
            "path": pl.String(),
            "stated_width": pl.Int64(),
            "stated_height": pl.Int64(),
        },
        orient="row",
    )
    names = [
        name_images(images.filter(pl.col("source") == source)["path"]).with_columns(
            pl.lit(source, dtype=pl.Int64).alias("source")
        )
        for source in range(len(dataset.annotations))
    ]
    ids = pl.concat(choose_ids(frame) for frame in names)
    written = pl.DataFrame(gathered.objects, schema=dict(PLACED), orient="row")
    named = written.join(ids, on="path", how="left", maintain_order="left")
    placed = place_objects(named, corners=dataset.corners or "from-1")
    from_zero = placed.at_zero if (dataset.corners or "from-1") == "from-1" else 0
    objects, categories = name_categories(dataset, placed.objects, _list_categories(placed.objects))
    listed = images.with_columns(
        category=pl.lit(None, dtype=pl.String), split=pl.lit(dataset.split, dtype=pl.String)
    )
    return Listing(
        images=listed.select(list(IMAGES)).sort("path"),
        rejects=pl.concat([make_rejects(gathered.rejects), reject_rows(placed.faults)]),
        counts={
            "other_split": gathered.other_split,
            "images_without_annotation": gathered.images_without_annotation,
            "other_suffix": gathered.skipped,
            "files_with_corners_at_0": from_zero,
        },
        notes=_note_corners(from_zero, stated=dataset.corners is not None),
        objects=sort_objects(objects.select(list(OBJECTS))),
        source_images=pl.concat(names).select(list(SOURCE_IMAGES)).sort("source", "path"),
        categories=categories,
        object_extra=objects.select("path", "annotation_id", ORIGINAL, *EXTRA),
    )


def _note_corners(files: int, *, stated: bool) -> tuple[str, ...]:
    """Say that files do not count from 1, unless the audit states that they do."""
    if not files or stated:
        return ()
    return (
        f"Pascal VOC: {files:,} annotation files have corners at 0, so they do not count pixels "
        "from 1 and their boxes may be a pixel off. Write what their corners are in [dataset]: "
        'corners = "from-0" (pixels from 0, the last one included), "edges" (of boxes, from 0 to '
        'the width) or "from-1" (as they were read).',
    )


def _gather_folder(folder: Path, source: int, dataset: Dataset, gathered: _Gathered) -> None:
    """Read every XML file under a folder that is of the split."""
    if not folder.is_dir():
        raise DatasetError(f"dataset.annotations: {folder}: there is no such folder of XML files")
    found = Found()
    links = list_links(dataset)
    walk_folder(folder, found, links, suffixes=frozenset({".xml"}))
    gathered.rejects += found.rejects
    gathered.skipped += found.other_suffix
    if not found.paths:
        raise DatasetError(
            f"{folder}: no .xml files; {found.other_suffix} files have another suffix"
        )
    wanted = read_set(folder, dataset.split)
    paths = sorted(found.paths)
    if wanted is not None:
        kept = [path for path in paths if posixpath.splitext(path)[0] in wanted]
        gathered.other_split += len(paths) - len(kept)
        missing = sorted(wanted - {posixpath.splitext(path)[0] for path in kept})
        reason = f"is in the set {dataset.split!r} but has no annotation file"
        gathered.rejects += [(stem, reason) for stem in missing]
        paths = kept
    pictures = _Pictures.under(dataset.images[source], links)
    used = 0
    for path, file in _read_files(folder, paths, gathered):
        used += _gather_file(path, file, source, pictures, dataset, gathered)
    gathered.images_without_annotation += len(pictures.paths) - used


@dataclass(frozen=True)
class _Pictures:
    """The image files under a folder, findable by path and by path without suffix."""

    paths: frozenset[str]
    by_stem: dict[str, str]

    @classmethod
    def under(cls, folder: Path, links: Links) -> "_Pictures":
        found = Found()
        walk_folder(folder, found, links)
        by_stem = {posixpath.splitext(path)[0]: path for path in sorted(found.paths)}
        return cls(frozenset(found.paths), by_stem)

    def find(self, xml: str, filename: str | None) -> str:
        """Return the image of an XML file, both relative to their folders.

        Where there is none it is the name that was written. Raises PathRefusedError if that name
        cannot be an image's and no image has the stem of the XML file.
        """
        inside, stem = posixpath.dirname(xml), posixpath.splitext(xml)[0]
        try:
            written = clean_path(filename) if filename else stem
        except PathRefusedError:
            if stem in self.by_stem:
                return self.by_stem[stem]
            raise
        for path in (posixpath.join(inside, written), written):
            if path in self.paths:
                return path
        last = posixpath.basename(stem)
        return self.by_stem.get(stem) or self.by_stem.get(last) or written


def _read_files(
    folder: Path, paths: list[str], gathered: _Gathered
) -> Iterator[tuple[str, VocFile]]:
    """Read the XML files in order; a broken one is a reject."""

    def read(block: list[str]) -> list[VocFile | str]:
        return [_read_one(folder / path) for path in block]

    blocks = [paths[i : i + FILES_PER_TASK] for i in range(0, len(paths), FILES_PER_TASK)]
    with ThreadPoolExecutor(_READERS, thread_name_prefix="xml") as pool:
        for block, files in zip(blocks, pool.map(read, blocks), strict=True):
            for path, file in zip(block, files, strict=True):
                if isinstance(file, str):
                    gathered.rejects.append((path, file))
                else:
                    yield path, file


def _read_one(path: Path) -> VocFile | str:
    try:
        return read_voc_file(path)
    except VocRefusedError as refusal:
        return str(refusal)


def _gather_file(
    xml: str, file: VocFile, source: int, pictures: _Pictures, dataset: Dataset, gathered: _Gathered
) -> int:
    """Add the image of an annotation file and its objects; return how many image files it used."""
    try:
        found = pictures.find(xml, file.filename)
    except PathRefusedError as refusal:
        gathered.rejects.append((xml, f"<filename>: {refusal}"))
        return 0
    path = posixpath.join(folder_prefix(dataset.images[source], dataset.root), found)
    owner = gathered.owners.setdefault(path, xml)
    if owner is not xml:
        reason = f"{xml}: the image is also that of {owner}, which counts"
        gathered.rejects.append((path, reason))
        return 0
    gathered.images.append((source, path, _to_side(file.width), _to_side(file.height)))
    gathered.objects += [
        (source, path, number, xml, *written) for number, written in enumerate(file.objects, 1)
    ]
    return int(found in pictures.paths)


def _to_side(text: str | None) -> int | None:
    """Return a stated width or height; null where it is missing, 0 or absurd."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 8):
        return None
    return int(text) if 1 <= int(text) <= _LARGEST_SIDE else None


def _list_categories(objects: pl.DataFrame) -> pl.DataFrame:
    """Return CATEGORIES: the names in each source, under which predictions speak of them too."""
    names = objects.select("source", "category").unique().sort("source", "category")
    asked = pl.lit(True).alias("asked")  # noqa: FBT003 - a literal of an expression
    return names.with_columns(pl.col("category").alias("category_id"), asked).select(
        list(CATEGORIES)
    )
