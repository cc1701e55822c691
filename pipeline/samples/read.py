"""A dataset of any format as tables: what its files say, then one pass over its images."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.core_count import count_cores
from pipeline.files.gc_pause import pause_gc
from pipeline.files.yolo_labels import scale_boxes
from pipeline.samples.detected_objects import take_detections
from pipeline.samples.files import read_files
from pipeline.samples.formats import FORMATS
from pipeline.samples.further_columns import join_columns
from pipeline.samples.ids import make_sample_ids
from pipeline.samples.objects import choose_objects, fit_objects, make_object_rows
from pipeline.samples.paths import list_links
from pipeline.samples.sample_set import OBJECT_KEYS, Listing, SampleSet
from pipeline.tables import OBJECTS, REJECTS, SAMPLES, SOURCE_IMAGES, STAMPS, check

_SHOWN_REASONS = 5
_OBJECT = ["source", "path", "annotation_id"]  # what names an object


@pause_gc()
def read_samples(
    dataset: Dataset,
    *,
    detections: pl.DataFrame | None = None,
    known: pl.DataFrame | None = None,
    limit: int | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> SampleSet:
    """Read a dataset of any format into tables, sorted by path, then annotation id.

    detections: IMAGE_DETECTIONS (path, category, x, y, w, h in pixels, score) of the detector that
    [dataset.boxes] names; they are the objects. known: earlier `samples` rows; a file with the
    same path, size, time of change and, where there is one, STAMP is not hashed again. limit: take
    the first so many candidates (images, or objects), before any is rejected. threads: for reading
    and hashing files, by default two a core and at most 32. progress: called with the number of
    further image files done. Raises DatasetError if the dataset's own files
    cannot be read as its format or nothing of it can be used.
    """
    listing = take_detections(FORMATS[dataset.format].read(dataset), dataset, detections)
    chosen, object_counts = choose_objects(listing)
    by_object = dataset.sample == "object"
    listed = chosen if by_object else listing.images
    listed = listed if limit is None else listed.head(limit)
    read = read_files(
        listed["path"].unique(maintain_order=True).to_list(),
        root=dataset.root,
        links=list_links(dataset, listing.link_roots),
        known=known,
        threads=threads or min(32, 2 * count_cores()),
        progress=progress,
    )
    unsized = 0
    if listing.normalized:
        listing = replace(listing, objects=scale_boxes(listing.objects, read.files))
        sized = scale_boxes(listed, read.files) if by_object else listed
        listed, unsized = sized, listed.height - sized.height
    fitted = fit_objects(listing, read.files, sample=dataset.sample)
    samples = _make_image_rows(listing.images, fitted.files)
    counts = {"files_hashed": read.hashed, "files_known": read.files.height - read.hashed}
    counts |= listing.counts
    if by_object or dataset.has_true_boxes:
        counts |= {**object_counts, **fitted.counts}
    if by_object:
        kept = listed.join(fitted.objects, on=_OBJECT, how="semi", maintain_order="left")
        unread = kept.join(samples, on="path", how="anti").height
        counts["objects_of_rejected_images"] = unread + unsized
        objects, counts["too_small"] = make_object_rows(kept, samples, dataset.crop)
        parents = samples.join(objects, left_on="sample_id", right_on="parent_id", how="semi")
        samples = pl.concat([parents, objects])
    rejects = pl.concat([listing.rejects, read.rejects, fitted.rejects]).sort("path", "reason")
    if samples.is_empty():
        raise DatasetError(_explain_nothing(dataset, rejects, counts))
    samples = _sort_samples(check(samples, SAMPLES, table="samples"))
    columns = _make_columns(samples, listing)
    if dataset.columns is not None:
        joined = join_columns(dataset.columns, samples, columns)
        columns = joined.columns
        counts["rows_of_columns_without_sample"] = joined.unmatched_rows
    return SampleSet(
        samples=samples,
        rejects=check(rejects, REJECTS, table="rejects"),
        objects=check(fitted.objects, OBJECTS, table="objects"),
        source_images=check(listing.source_images, SOURCE_IMAGES, table="source_images"),
        categories=listing.categories,
        columns=columns,
        counts=_count(samples, rejects) | counts,
        notes=listing.notes,
        stamps=read.files.select(list(STAMPS)),
    )


def _make_image_rows(images: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Make `samples` rows of whole images from IMAGES and the FILES that could be read."""
    rows = files.join(images.select("path", "category", "split"), on="path", how="left")
    paths = rows["path"].to_list()
    rows = rows.with_columns(
        pl.Series("sample_id", make_sample_ids(paths, [None] * len(paths)), dtype=pl.String),
        *[pl.lit(None, dtype=pl.Float64).alias(side) for side in "xywh"],
        *[pl.lit(None, dtype=pl.String).alias(name) for name in ("parent_id", "annotation_id")],
    )
    return rows.select(list(SAMPLES))


def _sort_samples(samples: pl.DataFrame) -> pl.DataFrame:
    """Sort by path; an image comes before its objects, these by annotation id."""
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    is_object = pl.col("parent_id").is_not_null()
    return samples.sort("path", is_object, number, "annotation_id", nulls_last=True)


def _make_columns(samples: pl.DataFrame, listing: Listing) -> pl.DataFrame:
    """Return sample_id, category, split, a table's own columns and those of objects, as text."""
    own = samples.select("sample_id", "category", "split", *OBJECT_KEYS)
    extra = listing.extra.drop("sample_id", strict=False)
    joined = own.join(extra, on="path", how="left", maintain_order="left")
    objects = listing.object_extra
    known = [name for name in objects.columns if name in joined.columns and name not in OBJECT_KEYS]
    objects = objects.drop(known)
    keys = list(OBJECT_KEYS)
    return joined.join(objects, on=keys, how="left", maintain_order="left").drop(keys)


def _count(samples: pl.DataFrame, rejects: pl.DataFrame) -> dict[str, int]:
    images = samples["parent_id"].null_count()
    return {"images": images, "objects": samples.height - images, "rejects": rejects.height}


def _explain_nothing(dataset: Dataset, rejects: pl.DataFrame, counts: dict[str, int]) -> str:
    """Say why there is no sample: counts, and the first reasons for rejection."""
    where = dataset.annotations or (dataset.table or dataset.images[0],)
    left_out = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    lines = [f"{', '.join(map(str, where))}: no {dataset.sample} can be used as a sample"]
    lines += [f"  - {left_out}"] if left_out else []
    shown = rejects.head(_SHOWN_REASONS).iter_rows(named=True)
    lines += [f"  - rejected: {row['path']}: {row['reason']}" for row in shown]
    if rejects.height > _SHOWN_REASONS:
        lines.append(f"  - and {rejects.height - _SHOWN_REASONS} more rejects")
    return "\n".join(lines)
