"""What the report shows of the encoder: verdicts on attributes, words on groups, written words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.tables import FLIPS, PROBES, TRUST, empty


@dataclass(frozen=True, eq=False)
class TrustReport:
    """What was measured of the encoder; frames without rows where something was not.

    trust: TRUST. probes: PROBES by the groups of `probed`, an attribute or column, adjusted for
    `adjust`. flips: FLIPS of all areas. probe_notes: what to know of the probes. text_facts: in
    words, what text was read in the pictures as they are. text_findings: (system, rank) -> in
    words, that a finding has more of it than the rest.
    """

    trust: pl.DataFrame = field(default_factory=lambda: empty(TRUST))
    probes: pl.DataFrame = field(default_factory=lambda: empty(PROBES))
    flips: pl.DataFrame = field(default_factory=lambda: empty(FLIPS))
    probed: str = ""
    adjust: tuple[str, ...] = ()
    probe_notes: tuple[str, ...] = ()
    text_facts: tuple[str, ...] = ()
    text_findings: Mapping[tuple[str, int], str] = field(default_factory=dict)
