"""The class of each sample: a column of the dataset, true values, or labels."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.toml_file import nearest
from pipeline.files.whole_files import read_parquet
from pipeline.vocabulary import MODELLED, UNKNOWN
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store

Source = Literal["column", "truth", "labels"]


@dataclass(frozen=True)
class SampleClasses:
    """values: (n,) texts in the order of the samples, null where not known. source: where from."""

    values: pl.Series
    source: Source


def read_searched_samples(store: Store) -> pl.DataFrame:
    """Return the samples that an audit searches, by sample_id: objects where there are some.

    With `group`, the image each is of. Raises StoreError without any.
    """
    samples = store.read_samples()
    if samples["parent_id"].is_not_null().any():
        samples = samples.filter(pl.col("parent_id").is_not_null())
    if samples.is_empty():
        raise StoreError(f"{store.folder}: no samples were read here; run `weakspot run` first")
    return samples.sort("sample_id").with_columns(group=pl.coalesce("parent_id", "sample_id"))


def read_classes(
    store: Store,
    samples: pl.DataFrame,
    name: str,
    *,
    option: str,
    may_be_modelled: bool,
    prefer_labels: bool = False,
) -> SampleClasses:
    """Return the classes of the samples by a column or an attribute.

    samples: as `read_searched_samples` returns them. name: of an attribute with true values, else
    of a column of the dataset, else of a labelled attribute. option: of the command, for its
    messages. may_be_modelled: whether labels that a model made will do. prefer_labels: labels come
    first.
    Raises ConfigError for a name that is not known, and for labels of a model where they will not
    do.
    """
    manifest = LabelManifest.find(store.folder)
    truth = {} if manifest is None else dict(manifest.truth)
    labelled = {} if manifest is None else manifest.by_name
    columns = _read_columns(store)
    if prefer_labels and name not in labelled:
        raise ConfigError(f"{option} {name}: no such labelled attribute; {nearest(name, labelled)}")
    if name in truth and not prefer_labels:
        return SampleClasses(_read_labels(store, samples, truth[name], name), "truth")
    if name in set(columns.columns) - {"sample_id"} and not prefer_labels:
        own = samples.select("sample_id").join(
            columns.select("sample_id", value=pl.col(name).cast(pl.String)),
            on="sample_id", how="left", maintain_order="left",
        )  # fmt: skip
        return SampleClasses(_clean(own["value"], name), "column")
    if name not in labelled:
        known = sorted({*truth, *labelled, *columns.columns} - {"sample_id"})
        raise ConfigError(
            f"{option} {name}: neither a column of the dataset nor an attribute; "
            f"{nearest(name, known)}"
        )
    if labelled[name].source in MODELLED and not may_be_modelled:
        raise ConfigError(
            f"{option} {name}: its labels are made by the model that is to be judged; name a "
            "column of the dataset, or give true values by [dataset.truth]"
        )
    return SampleClasses(_read_labels(store, samples, labelled[name].label_id, name), "labels")


def _read_columns(store: Store) -> pl.DataFrame:
    path = store.dataset / "columns.parquet"
    return read_parquet(path) if path.exists() else pl.DataFrame({"sample_id": []})


def _read_labels(store: Store, samples: pl.DataFrame, label_id: str, name: str) -> pl.Series:
    """Return the labels of the samples, of their images where those carry them."""
    labels = store.read_labels([label_id]).select("sample_id", "value")
    joined = samples.select("sample_id", "group").join(
        labels, on="sample_id", how="left", maintain_order="left"
    )
    joined = joined.join(
        labels.rename({"sample_id": "group", "value": "of_image"}),
        on="group", how="left", maintain_order="left",
    )  # fmt: skip
    return _clean(joined.select(pl.coalesce("value", "of_image")).to_series(), name)


def _clean(values: pl.Series, name: str) -> pl.Series:
    text = values.str.strip_chars()
    return text.set(text.is_in(["", UNKNOWN]), None).alias(name)
