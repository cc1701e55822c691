"""Words for a region: what it shows more than the rest, beside what the attributes say of it."""

import tomllib
from collections.abc import Sequence
from importlib import resources

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Mask
from pipeline.tables import REGION_WORDS, check

Single = NDArray[np.float32]
TEMPLATE = "a photo of {}."
_SAME = 0.985  # cosine from which two words say the same; a small text tower knows few apart
_LEAST_SHARE = 0.4  # of the largest effect: weaker words describe little
_DECIMALS = 9  # rounds away what the order of summation leaves, so that ties are ties
_RIDGE = 1e-3  # of the mean square of a column: attributes that say the same make no trouble


def list_words() -> list[str]:
    """Return the phrases that are shipped, each once."""
    text = resources.files("pipeline.regions").joinpath("words.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text)["groups"]
    phrases = [
        frame.format(word) for group in groups for frame in group["frames"]
        for word in group["words"]
    ]  # fmt: skip
    return list(dict.fromkeys(phrases))


def subtract_attributes(vectors: Single, attributes: pl.DataFrame) -> Floats:
    """Return (n, d) vectors less what a linear regression on the attributes' values explains.

    attributes: n rows, one column an attribute. What is left says what the attributes do not.
    """
    centered = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    columns = [one.to_dummies().to_numpy().astype(np.float64) for one in attributes.iter_columns()]
    if not columns:
        unexplained: Floats = centered
        return unexplained
    known = np.concatenate(columns, axis=1)
    known -= known.mean(axis=0)
    gram = known.T @ known
    gram[np.diag_indices_from(gram)] += _RIDGE * len(known)
    left: Floats = centered - known @ np.linalg.solve(gram, known.T @ centered)
    return left


def measure_words(left: Floats, inside: Mask, texts: Floats) -> Floats:
    """Return (w,) how much more the rows inside resemble each text than the rest does.

    left: (n, d) as `subtract_attributes` returns them. texts: (w, d) unit vectors. In standard
    deviations of the resemblance over all rows; a difference of means alone would name what
    varies most.
    """
    contrast = left[inside].mean(axis=0) - left[~inside].mean(axis=0)
    covariance = left.T @ left / len(left)
    spread = np.sqrt(np.maximum(np.einsum("wd,de,we->w", texts, covariance, texts), 0.0))
    usual = float(np.median(spread))
    effects: Floats = texts @ contrast / np.maximum(spread, max(0.2 * usual, 1e-12))
    return np.round(effects, _DECIMALS)


def choose_words(
    words: Sequence[str], effects: Floats, texts: Floats, *, most: int = 8
) -> pl.DataFrame:
    """Return REGION_WORDS: the words of the largest effects, those that say the same once."""
    chosen: list[int] = []
    for at in np.argsort(-effects, kind="stable"):
        if effects[at] <= _LEAST_SHARE * max(float(effects.max()), 0.0) or len(chosen) == most:
            break
        if not chosen or float((texts[chosen] @ texts[at]).max()) < _SAME:
            chosen.append(int(at))
    frame = pl.DataFrame(
        {"word": [words[i] for i in chosen], "effect": effects[chosen]},
        schema={"word": pl.String, "effect": pl.Float64},
    )
    return check(frame, REGION_WORDS, table="region words")
