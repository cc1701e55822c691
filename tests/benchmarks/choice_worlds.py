"""Tables whose planted slices lie apart, in one another, across one another, or in a chain."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Shape = Literal["apart", "nested", "overlapping", "chained"]
SHAPES: tuple[Shape, ...] = ("apart", "nested", "overlapping", "chained")
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Predicates = tuple[tuple[str, str], ...]
_TRIES, _SAME = 20_000, 200  # draws of slices in all, and with the same attributes


@dataclass(frozen=True)
class World:
    """A table of n rows with planted slices and the expected error of each row."""

    table: pl.DataFrame
    rate: Floats  # (n,)
    slices: tuple[Predicates, ...]
    cluster_ids: NDArray[np.int64] | None

    def members(self, predicates: Predicates) -> Mask:
        """Return (n,) which rows are in a slice."""
        inside = np.ones(self.table.height, np.bool_)
        for name, value in predicates:
            inside &= (self.table[name] == value).to_numpy()
        return inside


def draw_world(
    seed: int,
    n: int,
    *,
    shape: Shape,
    lift: float,
    base: float = 0.1,
    clustered: bool = False,
    planted: bool = True,
) -> World:
    """Plant five slices of 0.5 to 15 % of n rows among 8 to 12 attributes of 2 to 8 values.

    The error is `base` outside and `lift` more inside; where a planted slice lies in another, more
    by `lift` again. clustered: rows are crops of images of 1 to 8 rows, and half of the attributes
    are those of the image. planted: False for no slices at all.
    """
    rng = np.random.default_rng([seed, n, SHAPES.index(shape)])
    cluster_ids = None
    if clustered:
        cluster_ids = np.repeat(np.arange(n), rng.integers(1, 9, n))[:n]
    if not planted:
        codes = _draw_codes(rng, n, cluster_ids)
        return World(_tabulate(codes), np.full(n, base), (), cluster_ids)
    for attempt in range(_TRIES):
        if attempt % _SAME == 0:
            codes = _draw_codes(rng, n, cluster_ids)
        slices = _draw_slices(rng, codes, shape)
        masks = [_members(codes, ids) for ids in slices]
        if _fits(masks, slices, shape):
            break
    else:
        raise RuntimeError(f"no {shape} slices fit the table of seed {seed}")
    depth = _count_depth(masks, slices)
    names = tuple(tuple((f"a{a:02d}", f"v{v}") for a, v in sorted(ids.items())) for ids in slices)
    return World(_tabulate(codes), np.minimum(base + lift * depth, 0.98), names, cluster_ids)


def _tabulate(codes: list[NDArray[np.int64]]) -> pl.DataFrame:
    return pl.DataFrame({f"a{j:02d}": [f"v{v}" for v in column] for j, column in enumerate(codes)})


def draw_errors(world: World, seed: int, *, kind: str = "binary", likeness: float = 0.3) -> Floats:
    """Draw errors of the world's rates: 0/1, gamma of shape 1, or lognormal with sigma 1.5.

    likeness: with clusters, the share of rows whose luck is that of their image.
    """
    rng = np.random.default_rng([seed, 1])
    n = len(world.rate)
    if kind == "gamma":
        return rng.gamma(1.0, 1.0, n) * world.rate
    if kind == "lognormal":
        return np.exp(1.5 * rng.normal(size=n) - 1.125) * world.rate
    luck = rng.random(n)
    if world.cluster_ids is not None:
        shared = rng.random(n) < likeness**0.5
        luck = np.where(shared, rng.random(n)[world.cluster_ids], luck)
    return (luck < world.rate).astype(np.float64)


def _draw_codes(
    rng: np.random.Generator, n: int, cluster_ids: NDArray[np.int64] | None
) -> list[NDArray[np.int64]]:
    """Draw 8 to 12 attributes that share three hidden causes, with values of uneven size."""
    hidden = rng.normal(size=(n, 3))
    codes = []
    for j in range(int(rng.integers(8, 13))):
        signal = 0.55 * hidden[:, j % 3] + 0.835 * rng.normal(size=n)
        if cluster_ids is not None and j % 2 == 0:
            signal = signal[np.searchsorted(cluster_ids, cluster_ids)]
        shares = rng.dirichlet(np.full(int(rng.integers(2, 9)), 4.0))
        edges = np.quantile(signal, np.cumsum(shares)[:-1])
        codes.append(np.searchsorted(edges, signal))
    return codes


def _members(codes: list[NDArray[np.int64]], ids: dict[int, int]) -> Mask:
    inside = np.ones(len(codes[0]), np.bool_)
    for a, v in ids.items():
        inside &= codes[a] == v
    return inside


def _draw_ids(
    rng: np.random.Generator, codes: list[NDArray[np.int64]], level: int, *, inside: dict[int, int]
) -> dict[int, int]:
    """Draw a conjunction of a level that holds those of another, as a random row of it has them."""
    free = [a for a in range(len(codes)) if a not in inside]
    chosen = rng.choice(free, level - len(inside), replace=False)
    rows = np.flatnonzero(_members(codes, inside))
    row = int(rng.choice(rows))
    return {**inside, **{int(a): int(codes[a][row]) for a in chosen}}


def _draw_slices(
    rng: np.random.Generator, codes: list[NDArray[np.int64]], shape: Shape
) -> list[dict[int, int]]:
    if shape == "nested":  # two pairs, one in the other, and one slice by itself
        outer = [_draw_ids(rng, codes, 1, inside={}), _draw_ids(rng, codes, 2, inside={})]
        inner = [_draw_ids(rng, codes, len(ids) + 1, inside=ids) for ids in outer]
        return [*outer, *inner, _draw_ids(rng, codes, 2, inside={})]
    if shape == "chained":  # neighbours share a predicate
        ids = _draw_ids(rng, codes, 2, inside={})
        chain = [ids]
        for _ in range(4):
            last = list(chain[-1])[-1]
            chain.append(_draw_ids(rng, codes, 2, inside={last: chain[-1][last]}))
        return chain
    levels = (1, 2, 2, 3, 3) if shape == "apart" else (1, 1, 2, 2, 2)
    return [_draw_ids(rng, codes, level, inside={}) for level in levels]


def _fits(masks: list[Mask], slices: list[dict[int, int]], shape: Shape) -> bool:
    """Return whether sizes and overlaps are those of the shape."""
    if len({tuple(sorted(ids.items())) for ids in slices}) < len(slices):
        return False
    for mask, ids in zip(masks, slices, strict=True):
        low, high = (0.02, 0.15) if len(ids) == 1 else (0.005, 0.08)
        if not low <= mask.mean() <= high:
            return False
    shares = []
    for j, one in enumerate(masks):
        for i in range(j):
            smaller = min(one.sum(), masks[i].sum())
            related = slices[i].items() <= slices[j].items()
            share = (one & masks[i]).sum() / smaller
            if related:
                if not 0.15 <= one.sum() / masks[i].sum() <= 0.6:
                    return False
            else:
                shares.append(share)
    if shape == "overlapping":
        return bool(max(shares) <= 0.6) and sum(share >= 0.2 for share in shares) >= 2
    return bool(max(shares) < 0.34)


def _count_depth(masks: list[Mask], slices: list[dict[int, int]]) -> NDArray[np.int64]:
    """Return (n,) how many planted slices, each in the one before, hold a row."""
    depth = np.zeros(len(masks[0]), np.int64)
    for ids, mask in zip(slices, masks, strict=True):
        nested = sum(other.items() <= ids.items() for other in slices)  # itself included
        depth = np.maximum(depth, np.where(mask, nested, 0))
    return depth
