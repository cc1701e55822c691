"""Findings beside what is known of their labels, and when labels make them unclear."""

from typing import Any

import polars as pl
import pytest

from pipeline.exceptions import TableError
from pipeline.slices.corrected_findings import attach_corrections
from pipeline.tables import CORRECTIONS, REPORTED, WEAKNESSES

HAT = [{"attribute": "hat", "value": "yes"}]
NIGHT = [{"attribute": "time", "value": "night"}]


def tabulate(rows: list[dict[str, Any]], schema: Any) -> pl.DataFrame:
    return pl.DataFrame(
        [{name: row.get(name) for name in schema} for row in rows], schema=dict(schema)
    )


def attach(state: str, **correction: Any) -> dict[str, Any]:
    finding = {"rank": 1, "predicates": HAT, "state": state}
    fixed = {"predicates": HAT, "correction": "product", **correction}
    both = attach_corrections(tabulate([finding], WEAKNESSES), tabulate([fixed], CORRECTIONS))
    assert both.schema == pl.Schema(REPORTED)
    return both.row(0, named=True)


@pytest.mark.parametrize(
    ("state", "low", "then"),
    [
        ("confirmed", 0.01, "confirmed"),
        ("confirmed", 0.0, "unclear: check labels"),
        ("confirmed", -0.1, "unclear: check labels"),
        ("likely", -0.1, "unclear: check labels"),
        ("likely", 0.1, "likely"),
        ("likely", None, "likely"),
        ("insufficient evidence", -0.1, "insufficient evidence"),
    ],
)
def test_a_finding_that_may_do_no_worse_when_corrected_is_unclear(
    state: str, low: float | None, then: str
) -> None:
    assert attach(state, corrected_difference_low=low)["state"] == then


def test_a_finding_whose_difference_by_labels_is_not_clear_of_0_keeps_its_state() -> None:
    """It stands out among the rows that other findings leave."""
    finding = {"rank": 1, "predicates": HAT, "state": "confirmed", "ci_low": -0.1}
    fixed = {"predicates": HAT, "correction": "product", "corrected_difference_low": -0.1}
    both = attach_corrections(tabulate([finding], WEAKNESSES), tabulate([fixed], CORRECTIONS))
    assert both["state"].item() == "confirmed"


def test_bounds_that_reach_no_difference_make_unclear_too() -> None:
    row = attach("confirmed", correction="bounds", corrected_difference_low=-0.2)
    assert row["state"] == "unclear: check labels"


def test_findings_keep_their_state_where_nothing_is_known_of_the_labels() -> None:
    assert attach("confirmed", correction="none")["state"] == "confirmed"
    needed = [{"attribute": "hat", "value": "yes", "n": 40}]
    assert attach("likely", checks_needed=needed)["checks_needed"] == needed


def test_corrections_of_other_slices_are_refused() -> None:
    findings = tabulate([{"rank": 1, "predicates": HAT, "state": "likely"}], WEAKNESSES)
    with pytest.raises(TableError, match="not the 1 findings in their order"):
        attach_corrections(findings, tabulate([{"predicates": NIGHT}], CORRECTIONS))
