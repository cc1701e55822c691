"""Joint histograms: the same sums as counting slice by slice, by both kinds of kernels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.slices.counting.joint_counts import JointCounts
from pipeline.slices.counting.joint_kernels import load_joint_kernels
from pipeline.slices.counting.kernels import load_kernels
from pipeline.slices.counting.supersets import plan_supersets
from pipeline.slices.layout import Layout
from pipeline.slices.ordered.runs import NO_RUNS, make_runs
from pipeline.slices.ordered.widen import pick_run_kernels

BACKENDS: tuple[Any, ...] = ("numba", "numpy")
Drawn = tuple[Layout, NDArray[np.uint8], NDArray[np.int32]]


def draw_family(seed: int, *, attributes: int, rows: int) -> Drawn:
    """Draw codes, half of the attributes ordered, and some of their slices of levels 1 to 4."""
    rng = np.random.default_rng(seed)
    dims = rng.integers(1, 6, attributes)
    values = tuple(tuple(f"v{v}" for v in range(dim)) for dim in dims)
    names = tuple(f"a{a}" for a in range(attributes))
    runs = tuple(
        make_runs(own, present=np.ones(len(own), bool), excluded=np.zeros(len(own), bool), size=dim)
        if rng.random() < 0.5
        else NO_RUNS
        for own, dim in zip(values, dims.tolist(), strict=True)
    )
    layout = Layout(names, values, dims.astype(np.int64), dims.astype(np.int64), runs)
    codes = np.stack([rng.integers(0, dim, rows) for dim in dims]).astype(np.uint8)
    slices = np.full((60, 4), -1, np.int32)
    for one in slices:
        level = int(rng.integers(1, min(4, attributes) + 1))
        chosen = np.sort(rng.choice(attributes, level, replace=False))
        one[:level] = [layout.ids[a] + rng.integers(0, layout.widths[a]) for a in chosen]
    return layout, codes, slices


def members(layout: Layout, codes: NDArray[np.uint8], ids: NDArray[np.int32]) -> Any:
    inside = np.ones(codes.shape[1], np.bool_)
    for i in ids[ids >= 0]:
        a = int(np.searchsorted(layout.ids, i, side="right")) - 1
        place = i - layout.ids[a]
        runs, dim = layout.runs[a], layout.dims[a]
        allowed = (
            [place]
            if place < dim
            else [*range(runs.first[place - dim], runs.last[place - dim] + 1)]
        )
        inside &= np.isin(codes[a], allowed)
    return inside


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), attributes=st.integers(1, 7),
    planned=st.sampled_from([1, 300, 30_000, 10_000_000]),
)  # fmt: skip
def test_sums_are_those_of_each_slice_alone(
    backend: Any, seed: int, attributes: int, planned: int
) -> None:
    layout, codes, slices = draw_family(seed, attributes=attributes, rows=200)
    supersets = plan_supersets(layout, slices, rows=planned)
    joint = JointCounts(
        codes, layout.dims, supersets, len(slices), load_joint_kernels(backend),
        pick_run_kernels(load_kernels(backend)),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    values = rng.integers(-(1 << 40), 1 << 40, (200, 9))
    drawn = rng.integers(0, 200, (3, 50)).astype(np.int32)
    added, counted = joint.add_up(values), joint.count_rows(drawn)
    for position, ids in enumerate(slices):
        inside = members(layout, codes, ids)
        assert added[position].tolist() == values[inside].sum(axis=0).tolist()
        assert counted[position].tolist() == inside[drawn].sum(axis=1).tolist()


def test_many_rows_are_added_to_few_histograms() -> None:
    layout, _, _ = draw_family(0, attributes=10, rows=10)
    slices = np.array([[i, j] for i in range(9) for j in range(i + 1, 10)], np.int32)
    slices = layout.ids[slices].astype(np.int32)
    one_by_one = plan_supersets(layout, slices, rows=1)
    together = plan_supersets(layout, slices, rows=10_000_000)
    assert len(one_by_one) > 2 * len(together)
    for plan in (one_by_one, together):
        assert sorted(i for s in plan for read in s.reads for i in read.slices) == list(range(45))


@pytest.mark.parametrize("backend", BACKENDS)
def test_pairs_are_shuffled_to_every_order_equally_often(backend: Any) -> None:
    kernels = load_joint_kernels(backend)
    rng = np.random.default_rng(0)
    pairs = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(4800):
        out = np.zeros((4, 8), np.int64)
        stream = rng.integers(0, 1 << 32, 4, dtype=np.uint32)
        kernels.shuffle_pairs(pairs, rng.integers(0, 2, 4, dtype=np.uint8), stream, out, 2)
        assert (out[:, 3] == 10 * out[:, 2]).all()
        order = tuple(out[:, 2].tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert min(seen.values()) > 200 - 4.5 * 14  # 200 each; 14 is the standard deviation
    assert max(seen.values()) < 200 + 4.5 * 14


def test_both_kinds_of_kernels_shuffle_and_draw_alike() -> None:
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, 1 << 50, (700, 2))
    buckets = rng.integers(0, 256, 700, dtype=np.uint8)
    stream = rng.integers(0, 1 << 32, 700, dtype=np.uint32)
    draws = rng.integers(0, 900, 5000, dtype=np.uint32)
    outs, rows = [], []
    for backend in BACKENDS:
        kernels = load_joint_kernels(backend)
        out = np.zeros((700, 8), np.int64)
        kernels.shuffle_pairs(pairs, buckets, stream, out, 4)
        assert sorted(out[:, 4].tolist()) == sorted(pairs[:, 0].tolist())
        outs.append(out)
        row = np.zeros(300, np.int32)
        assert kernels.take_distinct(draws, 900, row) == 300
        assert len(set(row.tolist())) == 300
        rows.append(row.tolist())
        few = np.zeros(5, np.int32)
        assert kernels.take_distinct(np.array([3, 3, 4], np.uint32), 9, few) == 2
    assert (outs[0] == outs[1]).all()
    assert rows[0] == rows[1]
