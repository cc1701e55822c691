"""What a query should find: samples of its class, and what does not count."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.arrays import Ints, Mask
from pipeline.exceptions import ConfigError

OXFORD = "oxford"  # every sample of the class is relevant
DIFFICULTIES = ("easy", "hard", "junk")
# protocol -> of a class, whether easy, hard and junk samples are relevant; the others are ignored
PROTOCOLS = {
    "easy": np.array([True, False, False]),
    "medium": np.array([True, True, False]),
    "hard": np.array([False, True, False]),
}
_UNKNOWN = -1


@dataclass(frozen=True)
class Relevance:
    """The classes of n samples, in the order of their vectors.

    classes: (n,) codes from 0, -1 where the class is not known. names: of the codes. groups: (n,)
    codes of what a query must not find: its own image, and the same pixels elsewhere. difficulty:
    (n,) places in DIFFICULTIES of samples that a query of their class should find; None where all
    are alike. Source of the protocols: Radenovic et al., Revisiting Oxford and Paris, CVPR 2018.
    """

    classes: Ints
    names: tuple[str, ...]
    groups: Ints
    difficulty: Ints | None = None

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that can be judged by."""
        return (OXFORD,) if self.difficulty is None else tuple(PROTOCOLS)

    def judge(self, query: int) -> Iterator[tuple[str, Mask, Mask]]:
        """Yield for each protocol its name, which samples are relevant and which do not count.

        Not counted are the query, what shares its group, and samples of unknown class.
        """
        same = self.classes == self.classes[query]
        ignored = (self.classes == _UNKNOWN) | (self.groups == self.groups[query])
        if self.difficulty is None:
            yield OXFORD, same & ~ignored, ignored
            return
        for name, good in PROTOCOLS.items():
            wanted = good[self.difficulty]
            out = ignored | (same & ~wanted)
            yield name, same & wanted & ~out, out


def make_relevance(
    classes: pl.Series, groups: Ints, *, difficulty: pl.Series | None = None
) -> Relevance:
    """Return the relevance of samples by their class.

    classes: (n,) texts, null where not known. groups: (n,) as of `Relevance`.
    difficulty: (n,) easy, hard or junk; null is easy. Raises ConfigError for another word, and when
    no class has two samples.
    """
    names = tuple(classes.drop_nulls().unique().sort())
    codes = classes.replace_strict(
        names, range(len(names)), default=_UNKNOWN, return_dtype=pl.Int64
    )
    places = None if difficulty is None else _place(difficulty)
    made = Relevance(codes.to_numpy(), names, groups, places)
    if not len(names) or np.bincount(made.classes[made.classes >= 0]).max() < 2:
        raise ConfigError(
            f"--truth {classes.name}: no class has two samples, so that no query can find one"
        )
    return made


def group_samples(samples: pl.DataFrame) -> Ints:
    """Return (n,) codes of what belongs together: crops of one image, and images of equal pixels.

    samples: content_key and group, the image that each is of.
    """
    images = samples["group"].rank("dense").cast(pl.Int64).to_numpy() - 1
    contents = samples["content_key"].rank("dense").cast(pl.Int64).to_numpy() - 1
    count, first = len(samples), int(images.max(initial=-1)) + 1
    nodes = first + int(contents.max(initial=-1)) + 1
    links = coo_array((np.ones(count), (images, first + contents)), shape=(nodes, nodes))
    _, codes = connected_components(links, directed=False)
    grouped: Ints = codes[images].astype(np.int64)
    return grouped


def choose_queries(relevance: Relevance, *, count: int, seed: int) -> Ints:
    """Return the rows of at most `count` queries, drawn at random, in ascending order.

    Samples of a class that no sample of another group has cannot be queries.
    """
    frame = pl.DataFrame({"code": relevance.classes, "group": relevance.groups}).with_row_index(
        "row"
    )
    able = frame.filter(
        (pl.col("code") != _UNKNOWN) & (pl.col("group").n_unique().over("code") > 1)
    )["row"].to_numpy()
    if len(able) > count:
        able = np.random.default_rng(seed).choice(able, count, replace=False)
    return np.sort(able).astype(np.int64)


def _place(difficulty: pl.Series) -> Ints:
    filled = difficulty.fill_null(DIFFICULTIES[0])
    if strange := sorted(set(filled.unique()) - set(DIFFICULTIES)):
        raise ConfigError(
            f"--difficulty: found {', '.join(map(repr, strange[:5]))}; expected "
            f"{', '.join(DIFFICULTIES)} or empty cells"
        )
    places: Ints = filled.replace_strict(
        DIFFICULTIES, range(len(DIFFICULTIES)), return_dtype=pl.Int64
    ).to_numpy()
    return places
