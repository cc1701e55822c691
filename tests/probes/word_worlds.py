"""Images of two groups and words as vectors, with a planted direction of the groups."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.probes.judge_probes import GroupedImages
from pipeline.probes.probe_file import ProbeFile, ProbePair
from pipeline.probes.wordings import Cosines

WIDTH = 48
NOUNS = tuple(f"noun {number}" for number in range(200))
TEMPLATES = ("a photo of {}.", "{}.")


def unit(values: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(values, axis=-1, keepdims=True)
    made: Floats = values / lengths
    return made


def make_probes(pairs: int, *, synonyms: int = 2) -> ProbeFile:
    return ProbeFile(
        name="made up",
        templates=TEMPLATES,
        pairs=tuple(
            ProbePair(
                first=tuple(f"first {pair} {s}" for s in range(synonyms)),
                second=tuple(f"second {pair} {s}" for s in range(synonyms)),
            )
            for pair in range(pairs)
        ),
    )


def make_images(
    rng: np.random.Generator, *, people: int, each: int = 2, lean: float = 1.0
) -> tuple[Floats, GroupedImages]:
    """Return vectors of `people` people of each group, whose first axis leans to their group."""
    sign = np.repeat(np.repeat([1.0, -1.0], people), each)
    own = np.repeat(rng.normal(size=(2 * people, WIDTH)), each, axis=0)
    vectors = own + 0.5 * rng.normal(size=own.shape)
    vectors[:, 0] += lean * sign
    names = pl.Series(np.where(sign > 0, "man", "woman"))
    clusters = pl.Series(np.repeat(np.arange(2 * people), each)).cast(pl.String)
    return unit(vectors), GroupedImages("gender", names, clusters)


def compare(
    rng: np.random.Generator,
    vectors: Floats,
    file: ProbeFile,
    *,
    planted: int = 0,
    strength: float = 0.0,
    color: float = 0.3,
) -> Cosines:
    """Return cosines with random words; color: how much every word leans to the groups by chance.

    The first words of the first `planted` pairs, and their synonyms, lean by `strength` more.
    """
    meaning: dict[str, Floats] = {}
    for pair in file.pairs:
        for words in (pair.first, pair.second):
            shared = rng.normal(size=WIDTH)
            shared[0] *= color
            meaning |= {word: shared + 0.2 * rng.normal(size=WIDTH) for word in words}
    for noun in NOUNS:
        drawn = rng.normal(size=WIDTH)
        drawn[0] *= color
        meaning[noun] = drawn
    for pair in file.pairs[:planted]:
        for word in pair.first:
            meaning[word] = meaning[word].copy()
            meaning[word][0] += strength * np.sqrt(WIDTH)
    each = {}
    for template in TEMPLATES:
        shift = 0.1 * rng.normal(size=WIDTH)
        for word, vector in meaning.items():
            each[template, word] = vectors @ unit(vector + shift)
    together = {word: vectors @ unit(vector) for word, vector in meaning.items()}
    return Cosines(together, each)
