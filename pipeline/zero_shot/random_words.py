"""Templates of random words: whether what a prompt says matters, or only that it says something."""

from collections.abc import Sequence

import numpy as np

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def randomize_templates(templates: Sequence[str], *, seed: int) -> list[str]:
    """Replace each word of a template by a random one; {} and the number of words stay.

    The control of WaffleCLIP (Roth et al., ICCV 2023): words of two or three syllables that mean
    nothing. The same seed gives the same words.
    """
    rng = np.random.default_rng(seed)
    return [
        " ".join(word if "{}" in word else _make_word(rng) for word in template.split())
        for template in templates
    ]


def _make_word(rng: np.random.Generator) -> str:
    return "".join(
        _CONSONANTS[rng.integers(len(_CONSONANTS))] + _VOWELS[rng.integers(len(_VOWELS))]
        for _ in range(int(rng.integers(2, 4)))
    )
