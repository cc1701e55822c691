"""What changed between two audits."""

import polars as pl

from pipeline.tables.schema import PREDICATES, Schema

CHANGES: Schema = {  # a slice in two audits: one row a slice that either of them lists
    "predicates": PREDICATES,
    "level": pl.Int64(),
    "listed": pl.String(),  # as a finding: before | after | both
    "n_before": pl.Int64(),  # null where the audit has no such values, as all that follows
    "n_after": pl.Int64(),
    "error_before": pl.Float64(),
    "error_after": pl.Float64(),
    "change": pl.Float64(),  # of the error inside, after minus before
    "change_low": pl.Float64(),  # 95 %, given how the slice was picked
    "change_high": pl.Float64(),
    "gap_before": pl.Float64(),  # error inside minus that of all other samples
    "gap_after": pl.Float64(),
    "gap_change": pl.Float64(),
    "gap_change_low": pl.Float64(),
    "gap_change_high": pl.Float64(),
    "p": pl.Float64(),  # two-sided, of the change of the gap, given how the slice was picked
    "p_holm": pl.Float64(),  # Holm's over all slices that are compared
    "verdict": pl.String(),  # new | worse | fixed | better | unchanged | unclear | not comparable
    "gate": pl.String(),  # pass | fail | insufficient evidence; null without one
}
