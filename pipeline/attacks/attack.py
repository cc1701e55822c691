"""Every word of an attribute written into pictures, each beside nonsense, and labelled again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from pipeline.arrays import Floats, Ints
from pipeline.attacks.flips import Attempts
from pipeline.attacks.written_words import PLACES, Written, make_nonsense, write_word

Encode = Callable[[Sequence[Image.Image]], NDArray[np.float32]]
Label = Callable[[Floats], Ints]
_AT_ONCE = 16  # pictures whose words are in memory together


@dataclass(frozen=True)
class Attacked:
    """n pictures of an attribute with v values.

    words: (v,) what is written for each value. truth: (n,) -1 where not known. clusters: (n,).
    """

    attribute: str
    words: tuple[str, ...]
    pictures: Sequence[Image.Image]
    truth: Ints
    clusters: pl.Series


def attack_pictures(
    attacked: Attacked,
    encode: Encode,
    labellers: Mapping[str, Label],
    *,
    areas: Sequence[float],
    plain: Ints | None = None,
    seed: int = 0,
) -> list[Attempts]:
    """Write each word, and nonsense of equal length in the same place, and label all pictures.

    encode: pictures -> (k, d) vectors, as a defence sees them. labellers: the name of a defence ->
    (k, d) vectors to (k,) values. areas: shares of the picture that words cover; area and place go
    round over the pictures. plain: (n,) labels without defence; those of the first labeller when
    None. Words of the value that a picture is labelled with anyway do not count as attempts.
    """
    n, v = len(attacked.pictures), len(attacked.words)
    shown = [Written("", areas[row % len(areas)], PLACES[(row // len(areas)) % len(PLACES)])
             for row in range(n)]  # fmt: skip
    codes: dict[str, list[Ints]] = {name: [] for name in labellers}
    for start in range(0, n, _AT_ONCE):
        block = range(start, min(start + _AT_ONCE, n))
        parts = [_write_all(attacked, shown[row], row, seed) for row in block]
        vectors = encode([picture for part in parts for picture in part]).astype(np.float64)
        for name, label in labellers.items():
            codes[name].append(label(vectors).reshape(len(block), 2 * v + 1))
    every = {name: np.concatenate(own) if own else np.zeros((0, 2 * v + 1), np.int64)
             for name, own in codes.items()}  # fmt: skip
    first = next(iter(every.values()))[:, 0] if plain is None else plain
    return [
        _collect(attacked, name, found, plain=first, areas=np.array([one.area for one in shown]))
        for name, found in every.items()
    ]


def _write_all(attacked: Attacked, shown: Written, row: int, seed: int) -> list[Image.Image]:
    """Return a picture as it is, with each word, and with the nonsense of each."""
    picture = attacked.pictures[row]
    nonsense = [
        make_nonsense(word, seed=seed + 1000 * row + value)
        for value, word in enumerate(attacked.words)
    ]
    written = [
        write_word(picture, Written(word, shown.area, shown.place))
        for word in (*attacked.words, *nonsense)
    ]
    return [picture, *written]


def _collect(
    attacked: Attacked, defence: str, codes: Ints, *, plain: Ints, areas: Floats
) -> Attempts:
    """Return the attempts; codes: (n, 1 + 2 v) labels: clean, after each word, after nonsense."""
    v = len(attacked.words)
    clean, word, nonsense = codes[:, 0], codes[:, 1 : v + 1], codes[:, v + 1 :]
    rows, written = np.nonzero(np.arange(v)[None, :] != clean[:, None])
    return Attempts(
        attribute=attacked.attribute,
        defence=defence,
        rows=rows,
        written=written,
        word=word[rows, written],
        nonsense=nonsense[rows, written],
        areas=areas[rows],
        clean=clean,
        plain=plain,
        own=word[np.arange(len(clean)), clean],
        truth=attacked.truth,
        clusters=attacked.clusters,
    )
