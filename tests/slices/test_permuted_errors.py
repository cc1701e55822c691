"""Permutations of real-valued errors: packed and eight at a time, they are those made singly."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pipeline.slices.counting.cells import Cells, make_cells
from pipeline.slices.counting.cube import count_cube
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import Sums, prepare_losses
from pipeline.slices.counting.joint_counts import JointCounts
from pipeline.slices.counting.joint_kernels import load_joint_kernels
from pipeline.slices.counting.kernels import load_kernels
from pipeline.slices.counting.supersets import plan_supersets
from pipeline.slices.evidence.normal_t import largest_normal_t, normal_t
from pipeline.slices.evidence.packed_errors import PackedErrors, pack_errors
from pipeline.slices.evidence.permutations import Permuted, draw_eight, draw_singly
from pipeline.slices.family import build_family
from pipeline.slices.ordered.widen import pick_run_kernels

Floats = NDArray[np.float64]


def draw_skewed(rng: np.random.Generator, n: int, kind: str) -> Floats:
    return rng.gamma(1.0, 1.0, n) if kind == "gamma" else np.exp(1.5 * rng.normal(size=n))


def open_family(errors: Floats, *, seed: int = 0) -> Permuted:
    """Count the slices of five attributes of four values, whatever the errors."""
    n, rng = len(errors), np.random.default_rng([seed, 9])
    table = pl.DataFrame({name: rng.integers(0, 4, n) for name in "abcde"})
    kernels = load_kernels("auto")
    losses = prepare_losses(errors, None, rows=n)
    cells: Cells = make_cells(
        encode_table(table), losses, kernels, min_weight=20,
        is_excluded=lambda *_: False, merge=False,
    )  # fmt: skip
    family = build_family(
        cells, count_cube(cells, kernels, max_level=3, min_weight=20), alpha=0.95,
        direction="worse",
    )  # fmt: skip
    joint = JointCounts(
        cells.codes, cells.layout.dims, plan_supersets(cells.layout, family.slices, rows=n),
        len(family), load_joint_kernels("auto"), pick_run_kernels(kernels),
    )  # fmt: skip
    return Permuted(cells, joint, family.sums, np.ones(len(family), np.bool_), 1.0, seed)


def pack(errors: Floats) -> PackedErrors:
    packed = pack_errors(prepare_losses(errors, None, rows=len(errors)))
    assert packed is not None
    return packed


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 5000), kind=st.sampled_from(["gamma", "log"]))
def test_sums_of_packed_errors_are_those_of_the_errors(seed: int, n: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    errors = draw_skewed(rng, n, kind)
    packed = pack(errors)
    some = rng.random(n) < 0.5
    total, squares = packed.unpack(packed.values[some].sum())
    assert total == pytest.approx(errors[some].sum(), rel=1e-4, abs=1e-4 * errors.mean())
    assert squares == pytest.approx((errors[some] ** 2).sum(), rel=1e-4, abs=1e-4)
    everything = sum(packed.values.tolist())  # Python's integers: no overflow
    assert everything < 1 << 63


def test_errors_that_halve_evenly_are_packed_exactly() -> None:
    errors = np.array([0.0, 0.25, 0.5, 1.0, 3.0] * 7)
    total, squares = pack(errors).unpack(pack(errors).values)
    assert total.tolist() == errors.tolist()
    assert squares.tolist() == (errors**2).tolist()


def test_errors_of_which_a_few_are_all_of_the_sum_are_not_packed() -> None:
    errors = np.random.default_rng(0).random(200_000)
    assert pack_errors(prepare_losses(errors, None, rows=len(errors))) is not None
    errors[7] = 1e6
    assert pack_errors(prepare_losses(errors, None, rows=len(errors))) is None


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 300), sign=st.sampled_from([1.0, -1.0]))
def test_the_largest_t_is_that_of_all_slices(seed: int, n: int, sign: float) -> None:
    rng = np.random.default_rng(seed)
    errors = np.where(rng.random(n) < 0.5, 0.0, rng.gamma(1.0, 1.0, n))
    inside = rng.random((30, n)) < rng.random((30, 1))
    inside = inside[(inside.sum(axis=1) >= 2) & ~inside.all(axis=1)]
    size = inside.sum(axis=1)
    orders = [rng.permutation(errors) for _ in range(3)]
    whole, ones = np.array([float(n)]), size.astype(float)
    total = Sums(
        np.array([n]), whole, whole, errors.sum(keepdims=True),
        (errors**2).sum(keepdims=True), errors.max(initial=0, keepdims=True),
    )  # fmt: skip
    first = np.stack([inside @ one for one in orders], axis=1)
    second = np.stack([inside @ one**2 for one in orders], axis=1)
    want = [
        normal_t(
            total, Sums(size, ones, ones, first[:, j], second[:, j], np.zeros(len(size))), sign
        ).max(initial=-np.inf)
        for j in range(3)
    ]
    got = largest_normal_t(total, size, first, second, sign)
    assert got.tolist() == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("kind", ["gamma", "log"])
def test_eight_at_a_time_have_the_maxima_of_those_made_singly(kind: str) -> None:
    errors = draw_skewed(np.random.default_rng(4), 3000, kind)
    family = open_family(errors)
    singly = draw_singly(family)(range(400))
    eight = draw_eight(family, pack(errors))(range(400))
    assert len(np.unique(eight)) > 390
    assert stats.ks_2samp(singly, eight).pvalue > 0.01
    blocks = eight.reshape(-1, 8)
    between = blocks.mean(axis=1).var(ddof=1) / (eight.var(ddof=1) / 8)
    assert 0.5 < between < 1.6  # 50 blocks; 1 if the eight do not go together


def test_any_part_of_the_permutations_is_drawn_alone() -> None:
    errors = draw_skewed(np.random.default_rng(5), 500, "gamma")
    family = open_family(errors)
    for draw in (draw_eight(family, pack(errors)), draw_singly(family)):
        whole = draw(range(40)).tolist()
        assert draw(range(3, 21)).tolist() == whole[3:21]
        assert draw(range(37, 40)).tolist() == whole[37:]


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_lanes_are_shuffled_to_every_order_equally_often(backend: Any) -> None:
    kernels = load_joint_kernels(backend)
    rng = np.random.default_rng(0)
    values = np.concatenate([np.arange(4), np.arange(3)] + [np.arange(4)] * 2)[:11]
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(4800):
        out = np.zeros((4, 8), np.int64)
        stream = rng.integers(0, 1 << 32, 4, dtype=np.uint32)
        kernels.shuffle_lanes(values, rng.integers(0, 2, 4, dtype=np.uint8), stream, 1, out)
        assert (np.sort(out[:, :4], axis=0) == np.arange(4)[:, None]).all()
        assert ((out[:, 1] - out[:, 0]) % 4 == 1).all()
        order = tuple(out[:, 0].tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert min(seen.values()) > 200 - 4.5 * 14  # 200 each; 14 is the standard deviation
    assert max(seen.values()) < 200 + 4.5 * 14


def test_both_kinds_of_kernels_shuffle_lanes_alike() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1 << 60, 700 + 7 * 87)
    buckets = rng.integers(0, 256, 700, dtype=np.uint8)
    stream = rng.integers(0, 1 << 32, 700, dtype=np.uint32)
    outs = []
    for backend in ("numba", "numpy"):
        out = np.zeros((700, 8), np.int64)
        load_joint_kernels(backend).shuffle_lanes(values, buckets, stream, 87, out)
        outs.append(out)
        assert sorted(out[:, 3].tolist()) == sorted(values[3 * 87 : 3 * 87 + 700].tolist())
    assert (outs[0] == outs[1]).all()
