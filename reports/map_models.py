"""What the map of the embedding space is shown from, in the report and on a page of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

Line = Sequence[tuple[float, float]]  # closed; shares of the picture, from its left and its top


@dataclass(frozen=True)
class FindingOutline:
    """Where most samples of a finding lie. rank: as in the report."""

    rank: int
    predicates: Sequence[Mapping[str, str]]
    n: int
    error: float
    rest_error: float
    lines: Sequence[Line] = ()


@dataclass(frozen=True, eq=False)
class MapReport:
    """The map of one system; the picture is a small WebP.

    metric, share, overall_error: as in SystemReport. method: in words. samples: on the map.
    unplaced: how many samples are not on it. regions: MAP_REGIONS.
    """

    system: str
    metric: str
    share: bool
    overall_error: float | None
    method: str
    samples: int
    image: bytes
    regions: pl.DataFrame
    unplaced: int = 0
    outlines: tuple[FindingOutline, ...] = ()


@dataclass(frozen=True, eq=False)
class MapColumn:
    """One thing to color points by: codes (n,) 0 to 255 as bytes.

    kind: error, of which a code is a share of `highest` (0 to 254), or attribute, of which it is a
    place in `values`; 255 is not known.
    """

    name: str
    kind: str
    codes: bytes
    values: tuple[str, ...] = ()
    highest: float = 1.0
    unit: str = ""


@dataclass(frozen=True, eq=False)
class MapPage:
    """All that the page of a map holds.

    shown: of `samples` the points that are there. places: (n, 2) uint16, little endian, shares of
    the picture. ids: as `pack_ids` made them, digits: of each. sprite: the thumbnails of the points
    `pictured`, row by row, `side` pixels each; empty without any.
    """

    name: str
    kind: str
    shown: int
    places: bytes
    ids: bytes
    digits: int
    columns: tuple[MapColumn, ...]
    reports: tuple[MapReport, ...]
    members: Mapping[str, bytes] = field(default_factory=dict)  # "SYSTEM RANK" -> a bit a point
    sprite: bytes = b""
    side: int = 0
    pictured: tuple[int, ...] = ()
