"""Whether what one wording of a pair shows holds for its synonyms and templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats
from pipeline.probes.contrast import Contrast, measure_effects
from pipeline.probes.probe_file import ProbePair


@dataclass(frozen=True)
class WordingSpread:
    """How many wordings there are, which share says the same, and the ends of d over them."""

    count: int
    held: float
    least: float
    most: float


@dataclass(frozen=True)
class Cosines:
    """Cosines of the n images of an audit with words.

    together: word -> (n,) with the mean of its templates. each: (template, word) -> (n,).
    """

    together: Mapping[str, Floats]
    each: Mapping[tuple[str, str], Floats]

    def stack(self, words: Sequence[str], template: str | None = None) -> Floats:
        """Return (n, w) the cosines with some words, by the mean of all templates or by one."""
        if template is None:
            return np.stack([self.together[word] for word in words], axis=1)
        return np.stack([self.each[template, word] for word in words], axis=1)


def spread_wordings(
    pair: ProbePair,
    cosines: Cosines,
    contrast: Contrast,
    *,
    edges: Mapping[str, float],
    sign: float,
) -> WordingSpread:
    """Measure d of each synonym of each side in each template.

    edges: template -> the size of d that one in twenty neutral pairs reaches in it. A wording says
    the same where its d has the sign `sign` and at least that size.
    """
    sizes: list[Floats] = []
    held = 0
    for template, edge in edges.items():
        first = cosines.stack(pair.first, template)[contrast.rows]
        second = cosines.stack(pair.second, template)[contrast.rows]
        margins = (first[:, :, None] - second[:, None, :]).reshape(len(first), -1)
        sizes.append(measure_effects(margins, contrast).d)
        held += int((sizes[-1] * sign >= edge).sum())
    every = np.concatenate(sizes)
    known = every[~np.isnan(every)]
    least, most = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
    return WordingSpread(len(every), held / len(every), float(least), float(most))
