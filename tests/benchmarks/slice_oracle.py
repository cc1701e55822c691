"""What an oracle could find that is told the planted groups: the limit of labels and checks."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.slices.known_labels import KnownLabels
from pipeline.slices.probable_slices import soften, weigh_by_label
from pipeline.slices.soft_labels.membership import SoftLabels, multiply
from pipeline.slices.soft_labels.slope_test import measure_slopes
from pipeline.slices.soft_labels.stepwise import list_slices
from pipeline.vocabulary import LEVEL
from tests.benchmarks.label_steps import Predicates
from tests.benchmarks.weak_worlds import WeakWorld

_SUPPORT = 30  # rows, as the search asks for


def soften_all(world: WeakWorld, known: KnownLabels) -> dict[str, SoftLabels]:
    """Return the probabilities of true values given a label, from the truth of all rows."""
    soft = {}
    for name in world.truth.columns:
        truth = world.truth[name]
        values = sorted(truth.drop_nulls().unique())
        all_known = pl.repeat(1.0, len(truth), eager=True)
        shares = weigh_by_label(known.labels[name], truth, all_known, values)
        soft[name] = SoftLabels(tuple(values), shares)
    return soft


def find_evident(
    world: WeakWorld, known: KnownLabels, *, soft: dict[str, SoftLabels] | None = None
) -> list[bool]:
    """Say of each planted group whether its errors are evident to one who knows where it is.

    The oracle knows all planted groups and tests each given the others, by the checked rows and the
    probabilities of the rest, as `find_probable_slices` tests slices it has to find; the p-value is
    multiplied by the number of slices, the price of not having been told by the data. soft: other
    probabilities, such as those of `soften_all`.
    """
    own = soften(known, min_support=_SUPPORT) if soft is None else soft
    count = sum(1 for _ in list_slices({name: one.values for name, one in own.items()}))
    there = [one for one in world.planted if _is_known(own, one)]
    return [
        _is_known(own, one) and count * _test(world, own, one, there) < LEVEL
        for one in world.planted
    ]


def _is_known(soft: dict[str, SoftLabels], predicates: Predicates) -> bool:
    return all(
        one["attribute"] in soft and one["value"] in soft[one["attribute"]].values
        for one in predicates
    )


def _test(
    world: WeakWorld, soft: dict[str, SoftLabels], own: Predicates, planted: list[Predicates]
) -> float:
    others: list[Floats] = [multiply(soft, one) for one in planted if one is not own]
    covariates = np.column_stack([np.ones(len(world.errors)), *others])
    membership = multiply(soft, own)[:, None]
    return float(measure_slopes(membership, world.errors, covariates, clusters=None).p[0])
