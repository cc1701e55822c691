"""What the report shows of the encoder: verdicts on attributes, words on groups, written words."""

from dataclasses import dataclass, field

import polars as pl

from pipeline.tables import FLIPS, PROBES, TRUST, empty


@dataclass(frozen=True, eq=False)
class TrustReport:
    """What was measured of the encoder; frames without rows where something was not.

    trust: TRUST. probes: PROBES by the groups of `probed`, an attribute or column, adjusted for
    `adjust`. flips: FLIPS of all areas. probe_notes: what to know of the probes.
    """

    trust: pl.DataFrame = field(default_factory=lambda: empty(TRUST))
    probes: pl.DataFrame = field(default_factory=lambda: empty(PROBES))
    flips: pl.DataFrame = field(default_factory=lambda: empty(FLIPS))
    probed: str = ""
    adjust: tuple[str, ...] = ()
    probe_notes: tuple[str, ...] = ()
