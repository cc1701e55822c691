"""A draft of an attribute that names a region: by prompts where words fit, else by its samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Mask
from pipeline.regions.region_words import TEMPLATE

Single = NDArray[np.float32]
LEAST_FIT = 0.4  # of prompts: share of the region they find, less the share of the rest
_FIRST = 6  # words to begin with
_AGAINST = 40  # words that they are tried against
_MOST = 3  # prompts of a value
_GAIN = 0.01  # of the fit that a further prompt must bring


@dataclass(frozen=True)
class PromptPair:
    """Words for what a region shows and for what the rest shows.

    fit: share of the region's rows that resemble the first more, less that of the other rows.
    """

    words: tuple[str, ...]
    others: tuple[str, ...]
    fit: float


def fit_prompts(
    vectors: Single, inside: Mask, words: Sequence[str], effects: Floats, texts: Floats
) -> PromptPair | None:
    """Choose the words that tell a region best from the rest; None where no word has an effect.

    vectors: (n, d) of unit length, inside: (n,) rows of the region. words: (w,) with the effects
    (w,) and unit vectors (w, d) that they have in the template. The pair of single words with the
    best fit is found first; then further words are added on both sides while that helps.
    """
    order = np.argsort(-effects, kind="stable")
    first = [int(i) for i in order[:_FIRST] if effects[i] > 0]
    if not first or not inside.any() or inside.all():
        return None
    alike = np.argsort(-(texts @ texts[first[0]]), kind="stable")
    weak = [int(i) for i in alike if effects[i] < 0.5 * effects[first[0]]][: _AGAINST // 2]
    against = list(dict.fromkeys([*weak, *(int(i) for i in order[::-1][: _AGAINST // 2])]))
    names = [*first, *[i for i in against if i not in first]]
    scores = dict(zip(names, (vectors @ texts[names].T.astype(np.float32)).T, strict=True))

    def measure(yes: list[int], no: list[int]) -> float:
        mine = sum(scores[i] for i in yes) / _norm(texts, yes)
        theirs = sum(scores[i] for i in no) / _norm(texts, no)
        said = np.asarray(mine > theirs)
        return float(said[inside].mean() - said[~inside].mean())

    pairs = [(measure([i], [j]), -a, -b) for a, i in enumerate(first)
             for b, j in enumerate(against) if i != j]  # fmt: skip
    if not pairs:
        return None
    fit, a, b = max(pairs)
    yes, no = [first[-a]], [against[-b]]
    for _ in range(2 * (_MOST - 1)):
        grown = [(measure([*yes, i], no), -i, True) for i in first
                 if i not in yes and len(yes) < _MOST]  # fmt: skip
        grown += [(measure(yes, [*no, i]), -i, False) for i in against
                  if i not in no and len(no) < _MOST]  # fmt: skip
        best = max(grown, default=(0.0, 0, True))
        if best[0] < fit + _GAIN:
            break
        fit = best[0]
        (yes if best[2] else no).append(-best[1])
    return PromptPair(tuple(words[i] for i in yes), tuple(words[i] for i in no), fit)


def _norm(texts: Floats, rows: list[int]) -> float:
    """Return the length of the sum of some unit vectors, as of the mean that labels use."""
    return float(np.linalg.norm(texts[rows].sum(axis=0)))


def write_prompt_draft(pair: PromptPair, *, name: str, system: str, rank: int) -> str:
    """Return the text of an attribute file with the prompts of a pair."""
    return (
        f"# A draft for region {rank} of {_one_line(system)}: the words describe it by contrast.\n"
        f"# They find {100 * pair.fit:.0f} points more of it than of the rest. Change what they\n"
        "# get wrong, and give the values better names.\n"
        f'name = "{name}"\n'
        'kind = "prompts"\n'
        'applies_to = "object"\n'
        'ensemble = "mean"\n'
        "min_margin = 0.0\n"
        f'templates = ["{TEMPLATE}"]\n'
        "\n[values]\n"
        f"yes = [{_list_texts(pair.words)}]\n"
        f"no = [{_list_texts(pair.others)}]\n"
    )


def write_given_draft(*, name: str, system: str, rank: int) -> str:
    """Return the text of an attribute file that reads the region from a column of the dataset."""
    return (
        f"# A draft for region {rank} of {_one_line(system)}: no words fit it well, so the column\n"
        f"# {name} names its samples. See what they have in common and give it words.\n"
        f'name = "{name}"\n'
        'kind = "given"\n'
        'applies_to = "object"\n'
        f'column = "{name}"\n'
        "\n[values]\n"
        'yes = ["yes"]\n'
        'no = ["no"]\n'
    )


def _list_texts(texts: Sequence[str]) -> str:
    return ", ".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)


def _one_line(text: str) -> str:
    return " ".join(text.split())
