"""Categories as the audit names them: renamed first, then asked for or not."""

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.toml_file import nearest
from pipeline.samples.sample_set import OBJECT_KEYS

ORIGINAL = "original_category"  # a column of objects: the category before [dataset] rename


def name_categories(
    dataset: Dataset, objects: pl.DataFrame, categories: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rename the categories of objects and of the table of them, and mark those asked for.

    objects: with a column `category`; those returned have a further one, ORIGINAL, with the name as
    it is written. categories: CATEGORIES. Two categories may get one name: they are one from then
    on. Raises DatasetError for every renamed or asked category that is not there.
    """
    files = dataset.annotations or ((dataset.boxes.detections,) if dataset.boxes else ())
    where = ", ".join(file.name for file in files if file is not None) or str(dataset.root)
    _check_names(dataset, categories["category"], where=where)
    renamed = pl.col("category").replace(dataset.rename)
    categories = categories.with_columns(renamed)
    if dataset.categories is not None:
        asked = pl.col("category").is_in(list(dataset.categories))
        categories = categories.with_columns(asked.alias("asked"))
    return objects.with_columns(pl.col("category").alias(ORIGINAL), renamed), categories


def take_originals(objects: pl.DataFrame) -> pl.DataFrame:
    """Return path, annotation_id and ORIGINAL of objects that `name_categories` named."""
    return objects.select(*OBJECT_KEYS, ORIGINAL)


def keep_categories(
    images: pl.DataFrame, dataset: Dataset, *, where: str
) -> tuple[pl.DataFrame, int]:
    """Rename the categories of whole images, keep the asked ones and count the others.

    With [dataset.boxes] the names are those of objects: the images stay as they are. Raises
    DatasetError for every renamed or asked category that no image has.
    """
    if dataset.boxes is not None:
        return images, 0
    _check_names(dataset, images["category"].drop_nulls(), where=where)
    images = images.with_columns(pl.col("category").replace(dataset.rename))
    if dataset.categories is None:
        return images, 0
    kept = images.filter(pl.col("category").is_in(list(dataset.categories)))
    return kept, images.height - kept.height


def _check_names(dataset: Dataset, written: pl.Series, *, where: str) -> None:
    """Raise DatasetError for every renamed or asked category that `where` does not have."""
    known = set(written.to_list())
    problems = [
        f"rename: category {name!r} is not there; {nearest(name, known)}"
        for name in dataset.rename
        if name not in known
    ]
    renamed = {dataset.rename.get(name, name) for name in known}
    problems += [
        f"category {name!r} is not there; {nearest(name, renamed)}"
        for name in dataset.categories or ()
        if name not in renamed
    ]
    if problems:
        raise DatasetError.from_problems(where, problems)
