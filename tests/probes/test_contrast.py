import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Floats, Ints, Mask
from pipeline.fairness.adjusted import compare_within_strata
from pipeline.fairness.groups import Group
from pipeline.probes.contrast import make_contrast, measure_effects, standardize_contrast
from pipeline.probes.image_null import permute_groups
from pipeline.statistics.estimates import number_clusters

# Two sets of five vectors and two of three, and what the formulas of W4ngatang/sent-bias, weat.py
# (Caliskan et al. 2017) give for them: d with ddof = 1, p over all 252 splits.
X = [[-0.3, -1.32, -0.25, 0.42], [1.64, 0.11, -0.55, -0.78], [1.25, 1.63, 0.27, -1.23],
     [-0.46, 1.6, 0.2, -1.73], [0.42, -1.16, -0.63, -0.49]]  # fmt: skip
Y = [[-0.71, 0.55, -0.06, -0.59], [0.41, 0.83, -1.64, -0.26], [-0.98, -0.17, -1.29, 0.02],
     [-0.04, -0.3, -1.05, -0.4], [-1.09, -1.36, 0.22, -1.11]]  # fmt: skip
A = [[1.77, 0.72, -2.0, 0.27], [-0.5, 0.03, 0.04, -1.99], [0.37, -0.26, 0.96, -1.18]]
B = [[0.74, -1.1, -0.33, -0.84], [1.45, 0.57, 2.43, 0.64], [0.84, 0.84, -0.61, -0.07]]
D, P = -1.1015775839510111, 0.9603174603174603


def unit(rows: list[list[float]]) -> Floats:
    values = np.array(rows)
    made: Floats = values / np.linalg.norm(values, axis=1, keepdims=True)
    return made


def halves(n: int) -> Mask:
    return np.arange(n) < n // 2


def test_d_and_p_equal_the_reference_implementation() -> None:
    images = np.concatenate([unit(X), unit(Y)])
    margins = (images @ unit(A).T).mean(axis=1) - (images @ unit(B).T).mean(axis=1)
    inside = halves(10)
    contrast = make_contrast(inside, ~inside, np.arange(10))
    assert measure_effects(margins[:, None], contrast).d[0] == pytest.approx(D, abs=1e-12)
    assert permute_groups(margins[:, None], inside, one_sided=True)[0] == pytest.approx(P)


def draw_people(
    rng: np.random.Generator, *, people: int, delta: float
) -> tuple[Floats, Mask, Ints]:
    sizes = rng.integers(1, 8, size=2 * people)
    person = np.repeat(np.arange(2 * people), sizes)
    shared = 0.6 * rng.normal(size=2 * people)
    inside = person < people
    return shared[person] + 0.8 * rng.normal(size=len(person)) + delta * inside, inside, person


@pytest.mark.slow
@pytest.mark.parametrize(("people", "delta"), [(60, 0.5), (40, 1.5)])
def test_intervals_of_d_cover_where_images_share_people(people: int, delta: float) -> None:
    rng = np.random.default_rng(4)
    true = delta / np.sqrt(1 + delta**2 / 4)
    covered = narrow = 0
    for _ in range(500):
        margins, inside, person = draw_people(rng, people=people, delta=delta)
        effects = measure_effects(margins[:, None], make_contrast(inside, ~inside, person))
        covered += int(effects.low[0] <= true <= effects.high[0])
        alone = make_contrast(inside, ~inside, np.arange(len(person)))
        naive = measure_effects(margins[:, None], alone)
        narrow += int(naive.low[0] <= true <= naive.high[0])
    assert 0.93 <= covered / 500 <= 0.97
    assert narrow < covered - 25  # images that count as independent: too narrow


def test_adjusted_differences_equal_those_of_the_gaps() -> None:
    rng = np.random.default_rng(1)
    strata = rng.integers(0, 4, 300)
    inside = rng.random(300) < 0.2 + 0.15 * strata
    margins = strata + rng.normal(size=300)
    contrast = standardize_contrast(inside, ~inside, np.arange(300), strata)
    assert contrast is not None
    group = Group((("a", "b"),), np.flatnonzero(inside), np.flatnonzero(~inside))
    gap = compare_within_strata(number_clusters(margins, None), group, strata)
    own = margins[contrast.rows]
    effects = measure_effects(own[:, None], contrast)
    spread = own.std(ddof=1)
    assert effects.d[0] * spread == pytest.approx(gap.difference)
    # The gap's interval leaves out that the spread is estimated, and some few rows.
    assert (effects.high[0] - effects.low[0]) * spread == pytest.approx(
        gap.interval[1] - gap.interval[0], rel=0.1
    )
    assert abs(effects.d[0]) < 0.4 < measure_effects(
        margins[:, None], make_contrast(inside, ~inside, np.arange(300))
    ).d[0]  # fmt: skip


def test_too_little_in_shared_strata_gives_no_adjusted_contrast() -> None:
    inside = halves(40)
    assert standardize_contrast(inside, ~inside, np.arange(40), inside.astype(np.int64)) is None
    assert standardize_contrast(inside, ~inside, np.arange(40), np.full(40, -1)) is None


def test_margins_that_do_not_vary_have_no_effect_size() -> None:
    inside = halves(20)
    effects = measure_effects(np.ones((20, 1)), make_contrast(inside, ~inside, np.arange(20)))
    assert np.isnan(effects.d[0])


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    margins, inside, person = draw_people(rng, people=20, delta=0.4)
    order = rng.permutation(len(margins))
    one = measure_effects(margins[:, None], make_contrast(inside, ~inside, person))
    other = measure_effects(
        margins[order, None], make_contrast(inside[order], ~inside[order], person[order])
    )
    assert pl.Series([*one.low, *one.high]).to_list() == pytest.approx([*other.low, *other.high])
