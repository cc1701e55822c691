"""The tables that the command prints: findings, the best slices, gaps between groups."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import HEAVY_HEAD, SIMPLE, Box
from rich.table import Table

from reports.parts.words import write_evidence, write_predicates

if TYPE_CHECKING:
    import polars as pl

SHOWN = 10  # groups of a table; the report and the export hold all
_BY = {"predicted": "as labelled", "truth": "by true values"}
_TEXTS = {"system", "slice", "group", "state", "by"}  # the columns that are no numbers


def tabulate(
    title: str,
    columns: Mapping[str, Sequence[str]],
    *,
    caption: str | None = None,
    box: Box = HEAVY_HEAD,
    wrap_numbers: bool = True,
) -> Table:
    """Return a table of columns of one length, by their names.

    wrap_numbers: whether numbers may take two lines where the console is narrow.
    """
    table = Table(
        title=title, title_justify="left", caption=caption, caption_justify="left", box=box
    )
    for name in columns:
        if name in _TEXTS:
            table.add_column(name)
        else:
            table.add_column(name, justify="right", no_wrap=not wrap_numbers)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    return table


def tabulate_findings(
    title: str, findings: Sequence[Mapping[str, Any]], *, with_difference: bool = False
) -> Table:
    """Return a table of findings, in the order given; several systems are a column of their own.

    with_difference: whether the difference to elsewhere, with its interval, is a column.
    """
    systems = [finding.get("system", "") for finding in findings]
    columns = {"system": systems} if len(set(systems)) > 1 else {}
    columns |= _write_errors(findings)
    corrected = [_write_corrected(finding) for finding in findings]
    if any(corrected):
        columns["corrected (95 %)"] = corrected
    if with_difference:
        columns["difference (95 %)"] = [_write_difference(finding) for finding in findings]
    columns["state"] = [finding["state"] for finding in findings]
    columns["by"] = [write_evidence(finding) for finding in findings]
    return tabulate(title, columns)


def tabulate_hidden(hidden: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of slices that wrong labels hide, in the order given."""
    systems = [row["system"] for row in hidden]
    columns = {"system": systems} if len(set(systems)) > 1 else {}
    columns |= {
        "slice": [write_predicates(row["predicates"]) for row in hidden],
        "labels right": [_write(row["label_precision"], ".0%") for row in hidden],
        "corrected (95 %)": [_write_corrected(row) for row in hidden],
        "elsewhere": [_write(row["corrected_rest_error"], ".3g") for row in hidden],
    }
    return tabulate("Worth checking: no findings as labelled, but perhaps in truth", columns)


def tabulate_best(family: "pl.DataFrame", *, top: int) -> Table:
    """Return a table of the first `top` slices of a counted family, which is sorted by score."""
    best = family.head(top).to_dicts()
    columns = _write_errors(best)
    columns["score"] = [f"{row['score']:.3f}" for row in best]
    columns["q"] = [f"{row['q']:.2g}" for row in best]
    return tabulate(f"Best {len(best)} of {family.height:,} by score", columns)


def tabulate_gaps(gaps: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Return a table for each system and source of labels, of the gaps as `read_gaps` orders them.

    Pairs of attributes are shown where they hold up as a gap.
    """
    keys = dict.fromkeys((gap["system"], gap["labels"]) for gap in gaps)
    return [
        _tabulate_gaps([g for g in gaps if (g["system"], g["labels"]) == key], system, labels)
        for key in keys
        for system, labels in [key]
    ]


def _tabulate_gaps(gaps: Sequence[Mapping[str, Any]], system: str, labels: str) -> Table:
    listed = [gap for gap in gaps if gap["level"] == 1 or gap["state"] == "gap"][:SHOWN]
    left = len(gaps) - len(listed)
    groups = "group is" if left == 1 else "groups are"
    columns = {
        "group": [write_predicates(gap["predicates"]) for gap in listed],
        "n": [f"{gap['n']:,}" for gap in listed],
        "error": [_write(gap["value"], ".3f") for gap in listed],
        "gap": [_write(gap["difference"], "+.3f") for gap in listed],
        "95 %": [_write_interval(gap["difference_low"], gap["difference_high"]) for gap in listed],
        "adjusted": [_write(gap["adjusted_difference"], "+.3f") for gap in listed],
    }
    fixed = [_write_corrected_gap(gap) for gap in listed]
    if any(fixed):
        columns["corrected"] = fixed
    columns["state"] = [_write_state(gap) for gap in listed]
    caption = f"{left} more {groups} in the report" if left else None
    title = f"{system}: groups {_BY[labels]} against the rest"
    return tabulate(title, columns, caption=caption, box=SIMPLE, wrap_numbers=False)


def _write_errors(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Write the columns that findings and other slices have in common."""
    return {
        "slice": [write_predicates(row["predicates"]) for row in rows],
        "n": [f"{row['n']:,}" for row in rows],
        "error": [f"{row['error']:.3g}" for row in rows],
        "elsewhere": ["" if r["rest_error"] is None else f"{r['rest_error']:.3g}" for r in rows],
    }


def _write_corrected(row: Mapping[str, Any]) -> str:
    """Write the corrected error with its interval, of bounds the interval alone, else nothing."""
    value, low, high = (row.get(f"corrected_{name}") for name in ("error", "low", "high"))
    if low is None or high is None:
        return ""
    ends = f"{low:.3g} to {high:.3g}"
    return ends if value is None else f"{value:.3g} ({ends})"


def _write_corrected_gap(gap: Mapping[str, Any]) -> str:
    """Write the corrected difference, of bounds the interval, else nothing."""
    low, high = (gap.get(f"corrected_difference_{end}") for end in ("low", "high"))
    if low is None or high is None:
        return ""
    value = gap["corrected_difference"]
    ends = f"{low:+.3f} to {high:+.3f}"
    return ends if value is None else f"{value:+.3f} ({ends})"


def _write_difference(row: Mapping[str, Any]) -> str:
    if row["ci_low"] is None:
        return f"{row['difference']:+.3g}"
    return f"{row['difference']:+.3g} ({row['ci_low']:+.3g} to {row['ci_high']:+.3g})"


def _write(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _write_interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:+.3f} to {high:+.3f}"


def _write_state(gap: Mapping[str, Any]) -> str:
    """Say of a group without a sample that it is empty, of a small one how many would do."""
    state = gap["state"] if gap["n"] else "empty"
    return f"{state}; {gap['needed_n']:,} would do" if gap["needed_n"] else state
