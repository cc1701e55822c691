"""Similarity within and between classes of an audit, and of images and captions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.loaded_models import LoadEncoder
from flows.stages.ranking.captions import encode_captions, read_captions
from flows.stages.ranking.sample_classes import SampleClasses, read_classes, read_searched_samples
from flows.stages.ranking.sample_scan import scan_samples
from pipeline.arrays import Vectors
from pipeline.config.audit import Audit
from pipeline.exceptions import ConfigError
from pipeline.ranking.caption_similarity import CaptionSimilarity, measure_captions
from pipeline.ranking.pair_means import measure_classes
from pipeline.ranking.pair_quantiles import Spread, spread_classes
from pipeline.ranking.region_pooling import to_unit
from pipeline.ranking.relevance import group_samples
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class ClassComparison:
    """Similarity by class. table: CLASS_SIMILARITY. spread: cosines of pairs drawn of it.

    left_out: samples of unknown class or without a vector.
    """

    classes: SampleClasses
    table: pl.DataFrame
    spread: Spread
    left_out: int


@dataclass(frozen=True)
class CaptionComparison:
    """Similarity of images and captions, of so many of each."""

    found: CaptionSimilarity
    images: int
    captions: int


@dataclass(frozen=True)
class SimilarityOptions:
    """What is asked for; classes or captions may be None. by_labels: rather than by true values."""

    classes: str | None
    captions: Path | None
    by_labels: bool = False
    seed: int = 0


def compare_similarity(
    store: Store, audit: Audit, options: SimilarityOptions, *, load: LoadEncoder
) -> tuple[ClassComparison | None, CaptionComparison | None]:
    """Compare the samples of a workspace by class, and its images with captions.

    Raises ConfigError for names and files that are wrong, or where there are fewer than two classes
    or images with captions.
    """
    by_class = None if options.classes is None else _compare_classes(store, audit, options, load)
    captions = None
    if options.captions is not None:
        captions = _compare_captions(store, audit, options.captions, options.seed, load)
    return by_class, captions


def _compare_classes(
    store: Store, audit: Audit, options: SimilarityOptions, load: LoadEncoder
) -> ClassComparison:
    samples = read_searched_samples(store)
    name = str(options.classes)
    classes = read_classes(
        store, samples, name,
        option="--classes", may_be_modelled=True, prefer_labels=options.by_labels,
    )  # fmt: skip
    if (count := classes.values.drop_nulls().n_unique()) < 2:
        raise ConfigError(
            f"--classes {name}: the number of classes known of these samples is {count}; "
            "two are needed"
        )
    rows, values = _read_vectors(store, audit, samples.with_columns(value=classes.values), load)
    known = rows["value"].is_not_null()
    rows, values = rows.filter(known), values[known.to_numpy()]
    names = tuple(rows["value"].unique().sort())
    if len(names) < 2:
        raise ConfigError(f"--classes {name}: fewer than two classes have samples with a vector")
    codes = rows["value"].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    groups = group_samples(rows)
    _, groups = np.unique(groups, return_inverse=True)
    return ClassComparison(
        classes=classes,
        table=measure_classes(values, codes, groups, names, seed=options.seed),
        spread=spread_classes(values, codes, groups, seed=options.seed),
        left_out=samples.height - rows.height,
    )


def _compare_captions(
    store: Store, audit: Audit, file: Path, seed: int, load: LoadEncoder
) -> CaptionComparison:
    samples = store.read_samples().filter(pl.col("parent_id").is_null()).sort("sample_id")
    captions = read_captions(file, samples)
    named = samples.join(captions, on="sample_id", how="semi", maintain_order="left")
    rows, values = _read_vectors(store, audit, named, load)
    rows = rows.with_row_index("row")
    captions = captions.join(
        rows.select("sample_id", "row"), on="sample_id", how="inner", maintain_order="left"
    )
    if rows.height < 2:
        raise ConfigError(
            f"--captions {file}: {rows.height} images with captions have a vector; two are needed"
        )
    texts = encode_captions(captions["caption"], store, audit, load=load)
    return CaptionComparison(
        measure_captions(
            values, _order(texts, captions["caption"]), captions["row"].to_numpy(), seed=seed
        ),
        rows.height,
        captions.height,
    )


def _read_vectors(
    store: Store, audit: Audit, samples: pl.DataFrame, load: LoadEncoder
) -> tuple[pl.DataFrame, NDArray[np.float32]]:
    """Return the samples that have a vector, and (n, d) vectors in their order."""
    keys, values = scan_samples(store, audit, samples, load=load)
    places = pl.DataFrame({"content_key": keys}).with_row_index("place")
    rows = samples.join(places, on="content_key", how="inner", maintain_order="left")
    return rows.drop("place"), to_unit(values[rows["place"].to_numpy()].astype(np.float32))


def _order(texts: Vectors, wanted: pl.Series) -> NDArray[np.float32]:
    places = {text: i for i, text in enumerate(texts.keys)}
    return texts.values[[places[text] for text in wanted]]
