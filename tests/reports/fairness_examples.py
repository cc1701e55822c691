"""Made-up gaps between groups, a domain and a curve for the tests of the report."""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import polars as pl

from pipeline.tables import COLLECTION, COMBINATIONS, DISPARITIES, GAPS, SWEEP, VERDICTS
from reports.models import DomainReport, FairnessReport
from reports.pages.report_page import build_report
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_predicates, make_report_data, make_table

GROUPS = {"gender": ["man", "woman"], "age": ["young", "adult", "old"]}
ADJUSTED = {
    "adjusted_difference": 0.031, "adjusted_low": -0.012, "adjusted_high": 0.074,
    "adjusted_p": 0.16, "compared_share": 0.93,
}  # fmt: skip


CORRECTED = {
    "corrected_value": 0.151, "corrected_low": 0.113, "corrected_high": 0.196,
    "corrected_difference": 0.118, "corrected_difference_low": 0.071,
    "corrected_difference_high": 0.168, "correction": "product",
}  # fmt: skip


def make_gap(*pairs: tuple[str, str], **changes: object) -> dict[str, Any]:
    """Return one row of GAPS: 12.4% against 4.1%, a gap, unless changed."""
    row: dict[str, Any] = {
        "metric": "error", "predicates": make_predicates(*pairs), "level": len(pairs), "n": 612,
        "value": 0.124, "ci_low": 0.1, "ci_high": 0.153, "rest_value": 0.041,
        "difference": 0.083, "difference_low": 0.057, "difference_high": 0.112, "ratio": 3.02,
        "best_difference": 0.094, "best_ratio": 4.13, "overall_difference": 0.069,
        "overall_ratio": 2.25, "p": 3e-9, "q": 2e-8, "state": "gap",
    }  # fmt: skip
    return {**row, **changes}


def make_small_gap(*pairs: tuple[str, str], n: int = 11) -> dict[str, Any]:
    """Return a group that is too small to judge."""
    return make_gap(
        *pairs, n=n, value=0.182, ci_low=0.05, ci_high=0.48, difference=0.12, q=None, p=None,
        difference_low=-0.06, difference_high=0.4, ratio=2.95, best_difference=None,
        best_ratio=None, state="insufficient evidence", needed_n=230,
    )  # fmt: skip


def make_empty_gap(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return a group without a sample: every number is null."""
    row = dict.fromkeys(GAPS)
    known = {"metric": "error", "predicates": make_predicates(*pairs), "level": len(pairs)}
    return {**row, **known, "n": 0, "state": "insufficient evidence", "needed_n": 230}


def make_gaps(*, adjusted: bool = False) -> list[dict[str, Any]]:
    """Return groups of gender and age and their pairs, in every state there is."""
    extra = ADJUSTED if adjusted else {}
    rows = [
        make_gap(
            ("gender", "man"), n=2300, value=0.041, ci_low=0.034, ci_high=0.05, rest_value=0.071,
            difference=-0.03, difference_low=-0.05, difference_high=-0.012, ratio=0.58, q=0.0021,
            best_difference=0.0, best_ratio=1.0, overall_difference=-0.014, overall_ratio=0.75,
            **extra,
        ),
        make_gap(("gender", "woman"), n=2700, **extra),
        make_gap(("age", "young"), state="no gap shown", q=0.41, **extra),
        make_gap(("age", "adult"), state="no gap shown", q=0.62, difference=0.004, **extra),
        make_small_gap(("age", "old")),
    ]  # fmt: skip
    for index, (gender, age) in enumerate(product(GROUPS["gender"], GROUPS["age"])):
        pair = (("gender", gender), ("age", age))
        if index == 5:
            rows.append(make_empty_gap(*pair))
        elif index % 3 == 2:
            rows.append(make_small_gap(*pair))
        else:
            rows.append(make_gap(*pair, n=500 + index, difference=0.02 * index, **extra))
    return rows


def make_rates(metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return other metrics of the groups of gender."""
    return [
        {
            "metric": metric, "predicates": make_predicates(("gender", gender)), "level": 1,
            "n": 2300 + place, "value": 0.91 - 0.1 * place, "ci_low": 0.88 - 0.1 * place,
            "ci_high": 0.93 - 0.1 * place, "state": "no gap shown",
        }
        for metric in metrics
        for place, gender in enumerate(GROUPS["gender"])
    ]  # fmt: skip


def make_verdicts(*verdicts: str) -> pl.DataFrame:
    """Return one verdict a group: g0, g1, ..."""
    rows = [
        {
            "predicates": make_predicates(("group", f"g{index}")), "n": 400 - index,
            "difference": 0.142 if verdict == "fail" else 0.02, "difference_low": 0.11,
            "difference_high": 0.18, "q": 0.0004, "verdict": verdict,
        }
        for index, verdict in enumerate(verdicts)
    ]  # fmt: skip
    return make_table(rows, VERDICTS)


def make_fairness(**changes: object) -> FairnessReport:
    """Return the comparison of gender and age by true attributes, unless changed."""
    metrics = ["recall", "false positives per image", "average precision"]
    fields: dict[str, Any] = {
        "system": "finder", "labels": "truth", "metric": "miss",
        "gaps": make_table([*make_gaps(), *make_rates(metrics)], GAPS),
        "disparities": make_table(
            [
                {"metric": "equalized odds difference", "attributes": ["gender"],
                 "value": 0.083, "groups": 2, "left_out": 0},
                {"metric": "demographic parity ratio", "attributes": ["age", "gender"],
                 "value": 0.71, "groups": 4, "left_out": 2},
            ],
            DISPARITIES,
        ),
        "attributes": ("gender", "age"), "perceived": True,
        "notes": ("12 faces with an unknown age stand in the rest.",),
    }  # fmt: skip
    return FairnessReport(**{**fields, **changes})


def make_combinations(values: dict[str, list[str]], *, least: int = 30) -> pl.DataFrame:
    """Return all pairs of values; n repeats 0, 12, 85 and 1,900."""
    rows: list[dict[str, Any]] = []
    for one, two in combinations(sorted(values), 2):
        for first, second in product(values[one], values[two]):
            n = (85, 0, 1900, 12)[len(rows) % 4]
            state = "covered" if n >= least else "rare" if n else "missing"
            predicates = make_predicates((one, first), (two, second))
            rows.append({"predicates": predicates, "n": n, "expected": 40.4, "state": state})
    rows.sort(key=lambda row: ("missing", "rare", "covered").index(row["state"]))
    return make_table(rows, COMBINATIONS)


def make_domain(values: dict[str, list[str]] | None = None, **changes: object) -> DomainReport:
    """Return the pairs of the example's attributes, unless changed."""
    chosen = values or {
        "hat": ["yes", "no"], "age": ["child", "adult", "old"],
        "sharpness": ["<= 12.5", "(12.5, 40]", "> 40"], "weather": ["sun", "rain", "snow", "fog"],
    }  # fmt: skip
    collect = [
        {
            "predicates": make_predicates(("weather", "fog"), ("age", "child"), ("hat", "yes")),
            "missing": 30, "covers": 3,
        },
        {"predicates": make_predicates(("weather", "snow")), "missing": 18, "covers": 1},
    ]  # fmt: skip
    fields: dict[str, Any] = {
        "attributes": tuple(chosen), "level": 2, "min_samples": 30,
        "combinations": make_combinations(chosen),
        "collect_next": make_table(collect, COLLECTION),
    }  # fmt: skip
    return DomainReport(**{**fields, **changes})


def make_sweep(points: int = 25) -> pl.DataFrame:
    """Return misses that grow with the threshold, faster in the slice."""
    rows = [
        {
            "threshold": index / points, "error": min(1.0, 0.27 + 0.7 * (index / points) ** 2),
            "rest_error": 0.05 + 0.5 * (index / points) ** 3,
        }
        for index in range(points)
    ]  # fmt: skip
    return make_table(rows, SWEEP)


def read_words(*reports: FairnessReport, **changes: Any) -> str:
    """Return the words of a well-formed page with these reports."""
    page = read_page(build_report(make_report_data(fairness=reports, **changes)))
    assert page.faults == []
    return page.words


def with_gaps(*rows: dict[str, object], **changes: object) -> FairnessReport:
    """Return a report of some rows of the GAPS table."""
    return make_fairness(gaps=make_table(list(rows), GAPS), **changes)
