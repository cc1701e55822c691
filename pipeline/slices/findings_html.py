"""The findings of a search as a notebook shows them."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import polars as pl

_BOUND = re.compile(r"[<>]=? [-\d]")  # such a value is a relation already
_NUMBERS = ("error", "rest_error", "difference", "ci_low", "ci_high")


def name_slice(predicates: Sequence[Mapping[str, str]]) -> str:
    """Return a slice in words: "hat = yes and height <= 128"."""
    return " and ".join(
        f"{one['attribute']} {one['value']}"
        if _BOUND.match(one["value"])
        else f"{one['attribute']} = {one['value']}"
        for one in predicates
    )


def write_html(findings: pl.DataFrame, notes: Sequence[str]) -> str:
    """Return a table of WEAKNESSES and the notes as HTML; every text is escaped."""
    if findings.is_empty():
        table = "<p>No weak slice found.</p>"
    else:
        heads = ("slice", "n", "error", "elsewhere", "difference (95 %)", "state")
        cells = [_list_cells(row) for row in findings.iter_rows(named=True)]
        table = (
            "<table><thead><tr>"
            + "".join(f"<th>{head}</th>" for head in heads)
            + "</tr></thead><tbody>"
            + "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
                for row in cells
            )
            + "</tbody></table>"
        )
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"{table}<details><summary>Notes on the search</summary><ul>{listed}</ul></details>"


def _list_cells(row: Mapping[str, Any]) -> list[str]:
    error, rest, difference, low, high = (f"{row[name]:.3g}" for name in _NUMBERS)
    interval = f"{difference} ({low} to {high})"
    return [
        name_slice(row["predicates"]),
        f"{row['n']:,}",
        error,
        rest,
        interval,
        str(row["state"]),
    ]
