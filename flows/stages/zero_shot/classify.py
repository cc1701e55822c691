"""Zero-shot classification of images by each line of prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.stages.zero_shot.classified_images import ClassifiedImages
from pipeline.arrays import Ints
from pipeline.exceptions import ConfigError
from pipeline.zero_shot.accuracy_tables import count_confusions, measure_accuracy, measure_classes
from pipeline.zero_shot.class_ranks import ClassRanks, rank_classes, score_classes, weigh_classes
from pipeline.zero_shot.class_texts import PromptLine
from pipeline.zero_shot.class_vectors import ClassVectors, make_class_vectors


@dataclass(frozen=True)
class Classification:
    """What each line of prompts made of the same images.

    vectors, ranks: by line. accuracy: as `measure_accuracy` returns it, None where no true class is
    known. classes, confusions: of the line chosen. predictions: a table that an audit reads. other:
    how many images have a true class that is none of the classes.
    """

    lines: tuple[PromptLine, ...]
    chosen: int
    vectors: Mapping[str, ClassVectors]
    ranks: Mapping[str, ClassRanks]
    accuracy: pl.DataFrame | None
    classes: pl.DataFrame | None
    confusions: pl.DataFrame | None
    predictions: pl.DataFrame
    other: int


def classify_images(
    images: ClassifiedImages, lines: Sequence[PromptLine], *, ks: Sequence[int], chosen: int = 0
) -> Classification:
    """Classify the images by every line; all lines have the same k.

    chosen: the place of the line whose predictions are kept. Raises ConfigError for a k of as many
    classes as there are or more, and where the true classes are none of those given.
    """
    line = lines[chosen]
    check_top(ks, line.classes)
    truth, other = number_truth(images.table["truth"], line.classes)
    vectors, ranks = rank_lines(images, lines, truth)
    known = bool((truth >= 0).any())
    accuracy = measure_accuracy(ranks, ks, groups=images.table["group"]) if known else None
    confusions = count_confusions(ranks[line.name], truth, line.classes) if known else None
    return Classification(
        lines=tuple(lines),
        chosen=chosen,
        vectors=vectors,
        ranks=ranks,
        accuracy=accuracy,
        classes=None if confusions is None else measure_classes(confusions),
        confusions=confusions,
        predictions=list_predictions(images, line, vectors[line.name]),
        other=other,
    )


def check_top(ks: Sequence[int], classes: Sequence[str]) -> None:
    """Raise ConfigError for a k of as many classes as there are or more."""
    if max(ks) >= len(classes):
        raise ConfigError(
            f"--top {max(ks)}: with {len(classes)} classes every image would be right; the "
            f"largest is {len(classes) - 1}"
        )


def rank_lines(
    images: ClassifiedImages, lines: Sequence[PromptLine], truth: Ints
) -> tuple[dict[str, ClassVectors], dict[str, ClassRanks]]:
    """Return the vectors of the classes and the ranks of the true class, by line."""
    encoder = images.encoder
    vectors = {
        line.name: make_class_vectors(line, encode=encoder.encode_texts, fits=encoder.find_fitting)
        for line in lines
    }
    ranks = {
        name: rank_classes(images.vectors, own.vectors, truth) for name, own in vectors.items()
    }
    return vectors, ranks


def number_truth(truth: pl.Series, classes: Sequence[str]) -> tuple[Ints, int]:
    """Return (n,) the place of each true class, -1 where none is known, and how many are others.

    Raises ConfigError where true classes are known and none is among the classes.
    """
    places = {name: place for place, name in enumerate(classes)}
    numbers = np.array([places.get(name, -1) for name in truth.to_list()], np.int64)
    known = truth.drop_nulls()
    other = len(known) - int((numbers >= 0).sum())
    if len(known) and other == len(known):
        some = ", ".join(map(repr, known.unique().sort().head(5)))
        raise ConfigError(
            f"no true class is among the classes: the images have {some}, the classes are "
            f"{', '.join(map(repr, classes[:5]))}; [names] of a TOML file gives a class its words"
        )
    return numbers, other


def list_predictions(images: ClassifiedImages, line: PromptLine, own: ClassVectors) -> pl.DataFrame:
    """Return sample_id or path, prediction, and p_CLASS: the table of a classifier under audit."""
    weights = weigh_classes(
        score_classes(images.vectors, own.vectors), logit_scale=images.encoder.logit_scale
    )
    names = pl.Series(line.classes, dtype=pl.String)
    best = weights.argmax(axis=1)
    columns = [pl.Series(f"p_{name}", weights[:, place]) for place, name in enumerate(line.classes)]
    return images.table.select(*images.keys, names.gather(best).alias("prediction"), *columns)
