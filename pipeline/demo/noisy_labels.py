"""The demo with poor labels: one attribute by a single, vague prompt a value, and checks of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.demo.compare import Errors, Members, Predicates, find_members
from pipeline.vocabulary import RIGHT, WRONG

ATTRIBUTE = "age"  # the detector misses children; see `pipeline.demo.system.LACKING`
PROMPTS = {"adult": "an adult", "child": "young", "senior": "old"}
PER_VALUE = 100  # checks of each label
_NO_PROBE = 'probe = "never"            # try "auto": with its checks the labels get better'
_FILE = """\
# Perceived age, by one vague prompt a value: many of these labels are wrong.
name = "{name}"
kind = "prompts"
applies_to = "object"
sensitive = true
min_margin = 0.0
templates = ["{{}}"]

[values]
{values}
"""


def spoil_labels(audit: Path) -> None:
    """Make the labels of one attribute of a demo poor, and take its true values from the audit.

    A probe trained on the checks would make them good again, so none is. audit: the audit.toml that
    `write_audit` wrote, with its attribute files beside it.
    """
    values = "\n".join(f'{value} = ["{prompt}"]' for value, prompt in PROMPTS.items())
    text = _FILE.format(name=ATTRIBUTE, values=values)
    (audit.parent / "attributes" / f"{ATTRIBUTE}.toml").write_text(text, encoding="utf-8")
    table = re.compile(rf"\n\[dataset\.truth\.{ATTRIBUTE}\]\n(?:[^\[\n].*\n)*")
    written = table.sub("", audit.read_text(encoding="utf-8"))
    written = written.replace("\n\n[slices]", f"\n{_NO_PROBE}\n\n[slices]")
    audit.write_text(written, encoding="utf-8")


def answer_sheet(sheet: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return a sheet of labels to check with the answers of a person who knows the world.

    sheet: as `weakspot check-labels --export` writes it. truth: the world's attributes.csv, one row
    a person with its annotation_id.
    """
    true = truth.select(pl.col("annotation_id").cast(pl.String), true=pl.col(ATTRIBUTE))
    known = sheet.drop("answer", "value").join(
        true, on="annotation_id", how="left", maintain_order="left"
    )
    right = pl.col("shown") == pl.col("true")
    return known.with_columns(
        answer=pl.when(right).then(pl.lit(RIGHT)).otherwise(pl.lit(WRONG)),
        value=pl.col("true"),
    ).select(sheet.columns)


@dataclass(frozen=True, eq=False)
class LabelledTruth:
    """What labels and truth say of the n people that a system was audited on.

    labels, truth: n rows, one column an attribute. errors: (n,). orders: the values of ordered
    attributes.
    """

    labels: pl.DataFrame
    truth: pl.DataFrame
    errors: Errors
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def average(self, table: pl.DataFrame, predicates: Predicates) -> float:
        """Return the mean error of the rows of a table that satisfy all predicates, else NaN."""
        inside: Members = find_members(table, predicates, orders=self.orders)
        return float(self.errors[inside].mean()) if inside.any() else float("nan")


def write_corrections(findings: pl.DataFrame, hidden: pl.DataFrame, people: LabelledTruth) -> str:
    """Return in plain text the error of each slice as labelled, corrected and true.

    findings: FINDINGS of one system by rank. hidden: CORRECTIONS of slices that labels hide.
    """
    lines = ["Error as labelled, corrected for wrong labels, and true:"]
    lines += _list_corrections(findings, people, "")
    lines += _list_corrections(hidden, people, "  (worth checking)")
    return "\n".join(lines)


def _list_corrections(frame: pl.DataFrame, people: LabelledTruth, note: str) -> Iterator[str]:
    for row in frame.iter_rows(named=True):
        predicates = row["predicates"]
        words = " and ".join(f"{one['attribute']} = {one['value']}" for one in predicates)
        labelled, true = (
            people.average(table, predicates) for table in (people.labels, people.truth)
        )
        yield f"  {words:36} {labelled:.3f}  {_write_corrected(row):22} {true:.3f}{note}"


def _write_corrected(row: Mapping[str, Any]) -> str:
    value, low, high = (row[f"corrected_{name}"] for name in ("error", "low", "high"))
    if low is None or high is None:
        return "not corrected"
    ends = f"{low:.3f} to {high:.3f}"
    return ends if value is None else f"{value:.3f} ({ends})"
