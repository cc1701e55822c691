"""Near duplicates of a workspace, and those that lie in several splits."""

import re
from dataclasses import dataclass

import polars as pl

from flows.run.loaded_models import LoadEncoder
from flows.run.logs import LOG
from flows.run.reading.kept_audit import read_kept_audit
from flows.stages.ranking.sample_classes import read_classes, read_searched_samples
from flows.stages.ranking.sample_scan import scan_samples
from pipeline.ranking.near_duplicates import link_near, list_duplicates
from pipeline.workspace.store import Store

FOLDER = "folder"  # names the first folder of a path as the split
_SPLIT_FOLDER = re.compile(
    r"^(train|val|valid|validation|test|dev|holdout)[\W_]*\d*$", re.IGNORECASE
)


@dataclass(frozen=True)
class FoundDuplicates:
    """The near duplicates of a workspace.

    rows: DUPLICATES. samples: how many were compared, without_vector: of which by their bytes
    alone. split: what names the splits, None without any. sizes: samples of each split.
    """

    rows: pl.DataFrame
    samples: int
    without_vector: int
    split: str | None
    sizes: dict[str, int]

    def count_leaks(self) -> list[tuple[str, str, int]]:
        """Return pairs of splits, and how many samples of the first have a duplicate in the second.

        Sorted by name.
        """
        across = self.rows.filter("across_splits").drop_nulls("split")
        there = across.select("group", other="split").unique()
        pairs = across.join(there, on="group").filter(pl.col("split") != pl.col("other"))
        counts = pairs.group_by("split", "other").agg(pl.col("sample_id").n_unique())
        return [(one, other, n) for one, other, n in counts.sort("split", "other").iter_rows()]


def find_duplicates(
    store: Store, *, least: float, split: str | None, load: LoadEncoder
) -> FoundDuplicates:
    """Return the groups of samples whose cosines reach `least`, and samples of equal bytes.

    split: a column of the dataset, or "folder"; None for the split that the dataset states, else
    folders named like train and val. Samples without a vector are embedded first, if they can be.
    Raises ConfigError for a column that is not there, and what embedding raises.
    """
    samples = read_searched_samples(store)
    samples, named = name_splits(store, samples, split)
    keys, values = scan_samples(store, read_kept_audit(store), samples, load=load)
    LOG.info("comparing %s vectors with one another", f"{len(keys):,}")
    rows = list_duplicates(samples, keys, values, link_near(values, least=least))
    sizes = dict(samples.drop_nulls("split").group_by("split").len().sort("split").iter_rows())
    without = samples.filter(~pl.col("content_key").is_in(keys.implode())).height
    return FoundDuplicates(rows, samples.height, without, named, sizes)


def name_splits(
    store: Store, samples: pl.DataFrame, split: str | None
) -> tuple[pl.DataFrame, str | None]:
    """Return the samples with their splits in the column `split`, and what names these.

    split: as of `find_duplicates`; without it a single split, or folders of other names, are none.
    """
    folder = pl.col("path").str.split("/").list.first()
    nested = pl.col("path").str.contains("/", literal=True)
    by_folder = samples.with_columns(split=pl.when(nested).then(folder))
    if split == FOLDER:
        return by_folder, "the first folder of the path"
    if split is not None:
        values = read_classes(store, samples, split, option="--split", may_be_modelled=False).values
        return samples.with_columns(split=values), f"column {split}"
    if samples["split"].drop_nulls().n_unique() > 1:
        return samples, "the splits of the dataset"
    names = by_folder["split"].drop_nulls().unique().to_list()
    if len(names) > 1 and all(_SPLIT_FOLDER.match(name) for name in names):
        return by_folder, "the first folder of the path"
    return samples.with_columns(split=pl.lit(None, dtype=pl.String)), None
