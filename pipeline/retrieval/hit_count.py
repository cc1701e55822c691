"""Where the hits of a query end: how many there are, and below which rank it is chance.

The scores are a mixture of two components, the hits and the rest. Which share of the samples at a
score are hits comes from one of two models:

words     A contrastively trained model makes exp(scale * cosine) proportional to
          p(image | text) / p(image), with the scale it was trained at (van den Oord et al.,
          arXiv 1807.03748, eq. 5). So r, that ratio brought to mean 1, is the density of hits over
          that of all samples. Were it 1/h on a share h and 0 elsewhere, its mean square would be
          1/h: the number of hits is (sum r)^2 / (sum r^2), as the effective sample size of weights
          (Kish, Survey Sampling, 1965), and a sample is a hit with probability min(1, h r).
pictures  Cosines of two images have no such scale. Two normal distributions are fitted by
          expectation maximization (Dempster et al., JRSS B 39, 1977). Nothing is said where one
          does as well by the Bayesian information criterion, or the two have one mode.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Array, Floats

_STEPS = 500
_STARTS = (0.5, 0.8, 0.9, 0.95, 0.98)  # quantiles that the components are started from
_NARROWEST = 0.02  # of the standard deviation of all scores: no component is a spike
_APART = 2.0  # standard deviations between means: two modes (Ashman et al., AJ 108, 1994)
_PRECISE = 1e-7  # gain of mean log-likelihood at which the fit ends


@dataclass(frozen=True)
class HitCount:
    """How many of n scored samples are hits.

    hits: expected number, 1 to n; by rank they are the first ones. chance_rank: from the next rank
    on a sample is a hit no more often than any sample is. probabilities: (n,) in the order given.
    """

    hits: float
    chance_rank: int
    probabilities: Floats

    @property
    def rounded(self) -> int:
        """The number of hits as it is announced: two digits, as more would be noise."""
        digits = max(0, len(str(int(self.hits))) - 2)
        unit = int(10**digits)
        return max(1, round(self.hits / unit) * unit)


def count_text_hits(scores: Array, *, logit_scale: float) -> HitCount | None:
    """Estimate the hits of words from the (n,) scores of all samples; None without samples.

    logit_scale: the factor on a cosine that the model was trained with.
    """
    if len(scores) == 0:
        return None
    logits = logit_scale * scores.astype(np.float64)
    ratios = np.exp(logits - logits.max())
    ratios /= ratios.mean()
    share = 1.0 / float((ratios * ratios).mean())
    return HitCount(
        hits=share * len(scores),
        chance_rank=max(int(np.count_nonzero(ratios >= 1.0)), round(share * len(scores))),
        probabilities=np.minimum(1.0, share * ratios),
    )


def count_image_hits(scores: Array) -> HitCount | None:
    """Estimate the hits of a picture from the (n,) scores of all samples.

    None where they show no two components.
    """
    x = scores.astype(np.float64)
    spread = float(x.std()) if len(x) else 0.0
    if len(x) < 20 or spread == 0.0:
        return None
    fits = [_fit(x, float(np.quantile(x, start)), least=_NARROWEST * spread) for start in _STARTS]
    likelihood, weights, means, deviations = max(fits, key=lambda fit: fit[0])
    single = -len(x) * (np.log(spread) + 0.5 * np.log(2 * np.pi) + 0.5)
    if likelihood - single < 1.5 * np.log(len(x)):  # three more parameters
        return None
    low, high = np.argsort(means)
    apart = (means[high] - means[low]) / np.sqrt((deviations**2).mean())
    if apart < _APART:
        return None
    # Beyond its mean a component keeps the share it has there: a wide one has two tails.
    inside = np.clip(x, means[low], means[high])
    densities = _weigh(inside, weights, means, deviations)
    probabilities = densities[:, high] / densities.sum(axis=1)
    order = np.argsort(x, kind="stable")
    probabilities[order] = np.maximum.accumulate(probabilities[order])
    hits = max(1.0, float(probabilities.sum()))
    chance = max(int(np.count_nonzero(probabilities > hits / len(x))), round(hits))
    return HitCount(hits, chance, probabilities)


_Fit = tuple[float, Floats, Floats, Floats]  # log-likelihood, weights, means, deviations


def _fit(x: Floats, split: float, *, least: float) -> _Fit:
    """Fit two normals from a split of the scores."""
    above = x > split
    parts = (x[~above], x[above])
    if not all(len(part) > 1 for part in parts):
        return -np.inf, np.ones(2) / 2, np.zeros(2), np.ones(2)
    weights = np.array([len(part) / len(x) for part in parts])
    means = np.array([part.mean() for part in parts])
    deviations = np.array([max(float(part.std()), least) for part in parts])
    before = -np.inf
    for _ in range(_STEPS):
        densities = _weigh(x, weights, means, deviations)
        total = densities.sum(axis=1)
        likelihood = float(np.log(total).mean())
        if likelihood - before < _PRECISE:
            break
        before = likelihood
        shares = densities / total[:, None]
        sizes = shares.sum(axis=0) + 1e-9
        weights, means = sizes / len(x), (shares * x[:, None]).sum(axis=0) / sizes
        spreads = (shares * (x[:, None] - means) ** 2).sum(axis=0) / sizes
        deviations = np.maximum(np.sqrt(spreads), least)
    return before * len(x), weights, means, deviations


def _weigh(x: Floats, weights: Floats, means: Floats, deviations: Floats) -> Floats:
    """Return (n, 2) weighted densities, never all zero in a row."""
    z = (x[:, None] - means) / deviations
    densities: Floats = weights / deviations / np.sqrt(2 * np.pi) * np.exp(-0.5 * z * z) + 1e-300
    return densities
