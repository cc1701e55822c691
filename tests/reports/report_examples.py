"""A made-up audit for the tests of the report: nobody and nothing real is in it."""

import io
from collections.abc import Mapping
from typing import Any

import polars as pl
from PIL import Image, ImageDraw

from pipeline.tables import (
    COVERAGE,
    FAMILY,
    LABEL_CALIBRATION,
    LABEL_QUALITY,
    LABEL_RELIABILITY,
    LEARNING_CURVE,
    REJECTS,
    REPORTED,
    VALUE_ERRORS,
    Schema,
    check,
    empty,
)
from reports.models import AttributeReport, LabelQualityReport, ReportData, SystemReport, Thumbnail

CONFIG = 'name = "finder on generated faces"\n\n[slices]\nmax_level = 2\nmin_support = 0.01\n'
_VALUES = {
    "hat": {"yes": 442, "no": 4458, "unknown": 100},
    "eyeglasses": {"yes": 600, "no": 4400},
    "age": {"child": 350, "adult": 3900, "old": 750},
    "sharpness": {"<= 12.5": 1250, "(12.5, 40]": 2500, "> 40": 1250},
    "weather": {"sun": 3000, "rain": 1500, "snow": 480, "fog": 20},
}
# What checks say of hat = yes: 58 % of its labels are right, and of the true ones 41.2 % missed.
CORRECTION = {
    "label_precision": 0.58, "label_precision_low": 0.534, "label_precision_high": 0.625,
    "corrected_n": 402.4, "corrected_n_low": 361.0, "corrected_n_high": 447.0,
    "corrected_error": 0.412, "corrected_low": 0.331, "corrected_high": 0.498,
    "corrected_rest_error": 0.041, "corrected_difference": 0.371,
    "corrected_difference_low": 0.29, "corrected_difference_high": 0.458,
    "corrected_lift": 10.05, "correction": "product", "checks_needed": [],
}  # fmt: skip
_FIRST = [("hat", "yes"), ("eyeglasses", "yes"), ("age", "child"), ("sharpness", "<= 12.5")]
_SECOND = [None, ("weather", "rain"), ("weather", "snow"), ("weather", "fog")]


def make_table(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """Return a frame of `schema` from rows that may leave columns out."""
    if not rows:
        return empty(schema)
    return check(
        pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema),
        schema,
        table="example",
    )


def make_predicates(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """Return predicates from (attribute, value) pairs."""
    return [{"attribute": attribute, "value": value} for attribute, value in sorted(pairs)]


def make_finding(rank: int = 1, **changes: object) -> dict[str, Any]:
    """Return one row of REPORTED: hat = yes, 27.1% against 5.0%, corrected, unless changed."""
    row: dict[str, Any] = {
        "rank": rank, "predicates": make_predicates(("hat", "yes")), "level": 1, "n": 442,
        "error": 0.271, "rest_error": 0.05, "difference": 0.221, "ci_low": 0.18,
        "ci_high": 0.264, "lift": 5.42, "score": 1.93, "p": 3.1e-40, "q": 2.2e-38,
        "q_residual": 2.2e-38, "p_family": 0.001, "state": "confirmed",
        "explained_share": 0.31, "folded": [make_predicates(("hat", "yes"), ("age", "adult"))],
        **CORRECTION,
    }  # fmt: skip
    return {**row, **changes}


def make_findings(count: int) -> pl.DataFrame:
    """Return `count` findings, the later ones weaker and less certain."""
    pairs = [[first, second] for second in _SECOND for first in _FIRST][:count]
    rows = []
    for rank, pair in enumerate(pairs, 1):
        gap = 0.221 / rank**0.5
        rows.append(
            make_finding(
                rank,
                predicates=make_predicates(*(item for item in pair if item)),
                level=sum(item is not None for item in pair),
                n=max(30, 442 - 29 * rank),
                error=0.05 + gap, difference=gap, ci_low=gap * 0.8 - 0.004 * rank,
                ci_high=gap * 1.2 + 0.004 * rank, lift=(0.05 + gap) / 0.05,
                score=1.9 / rank, p=1e-9 * 10**rank, q=2e-9 * 10**rank if rank < 8 else 0.02,
                state="confirmed" if rank < 6 else "likely",
                holdout_n=210, holdout_error=0.05 + gap * 0.9, holdout_rest_error=0.052,
                holdout_ci_low=gap * 0.6, holdout_ci_high=gap * 1.15, holdout_p=0.0004 * rank,
                folded=[make_predicates(("hat", "yes"), ("weather", "sun"))] if rank < 4 else [],
            )
        )  # fmt: skip
    return make_table(rows, REPORTED)


def make_thumbnail(index: int, *, error: float = 1.0) -> Thumbnail:
    """Return a drawn picture of 128 x 96 or 96 x 128 pixels."""
    size = (128, 96) if index % 3 else (96, 128)
    image = Image.new("RGB", size, (40 + 37 * index % 180, 110, 200 - 23 * index % 150))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 80, 80), fill=(230, 200, 90 + 11 * index % 150))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=80)
    return Thumbnail(buffer.getvalue(), f"generated/scene-{index:04}.jpg", error)


def make_family(count: int) -> pl.DataFrame:
    """Return `count` slices by score."""
    rows = [
        {
            "predicates": make_predicates(("age", "old"), ("weather", "fog")),
            "level": 2, "n": 90 + index, "sum_error": 20.0, "sum_error2": 20.0, "max_error": 1.0,
            "error": 0.2, "rest_error": 0.05, "lift": 4.0, "score": 0.9 - 0.01 * index,
            "p": 0.003, "q": 0.04,
        }
        for index in range(count)
    ]  # fmt: skip
    return make_table(rows, FAMILY)


def make_system(count: int = 1, /, **changes: object) -> SystemReport:
    """Return a system that misses 5.5% of 5,000 samples, unless changed."""
    fields: dict[str, Any] = {
        "name": "finder", "metric": "miss", "share": True, "n": 4988, "overall_error": 0.055,
        "samples_without_error": 12, "errors_without_sample": 3,
        "findings": make_findings(count), "top_slices": make_family(10),
        "slices_counted": 1234, "detectable_gap": 0.031,
        "search_notes": ("Every slice up to level 2 was counted in 0.4 s by the cube.",),
        "gallery": {
            rank: tuple(make_thumbnail(10 * rank + index) for index in range(12))
            for rank in range(1, count + 1)
        },
    }  # fmt: skip
    return SystemReport(**{**fields, **changes})


def _make_value_errors(systems: tuple[SystemReport, ...]) -> pl.DataFrame:
    rows = []
    for system in systems:
        for attribute, values in _VALUES.items():
            for index, (value, n) in enumerate(values.items()):
                scale = 1.0 if system.share else 3.0
                error = scale * (0.04 + 0.11 * (index == 0))
                half = scale * (0.2 / n) ** 0.5
                rows.append(
                    {"system": system.name, "attribute": attribute, "value": value, "n": n,
                     "error": error, "ci_low": max(0.0, error - half), "ci_high": error + half}
                )  # fmt: skip
    return make_table(rows, VALUE_ERRORS)


def _make_coverage() -> pl.DataFrame:
    rows = [
        {"attribute": attribute, "value": value, "n": n, "share": n / 5000}
        for attribute, values in _VALUES.items()
        for value, n in values.items()
    ]
    return make_table(rows, COVERAGE)


def make_quality_row(attribute: str, value: str | None, **changes: object) -> dict[str, Any]:
    """Return one row of LABEL_QUALITY: labels in use, judged by 5,000 true values."""
    row: dict[str, Any] = {
        "attribute": attribute, "method": "in use", "value": value, "judged_by": "truth",
        "n": 5000, "effective_n": 5000.0, "support": 400, "labelled": 442,
        "accuracy": 0.953, "accuracy_low": 0.947, "accuracy_high": 0.958,
        "precision": 0.58, "precision_low": 0.53, "precision_high": 0.63,
        "recall": 0.64, "recall_low": 0.59, "recall_high": 0.69,
        "f1": 0.61, "f1_low": 0.57, "f1_high": 0.65,
        "abstention": 0.02, "abstention_low": 0.016, "abstention_high": 0.024,
        "kappa": 0.66 if value is None else None,
    }  # fmt: skip
    return {**row, **changes}


def make_label_quality(*rows: dict[str, Any]) -> LabelQualityReport:
    """Return the quality of two attributes' labels, with one diagram; or just of these rows."""
    quality = list(rows)
    for name in () if rows else ("eyeglasses", "hat"):
        quality += [
            make_quality_row(name, None, method="naive", accuracy=0.92),
            make_quality_row(name, None, method="probability", accuracy=0.96),
            *(make_quality_row(name, value) for value in (None, "no", "yes")),
        ]
    calibration = {
        "attribute": "hat", "fit": "isotonic", "n": 5000, "calibration_error": 0.068,
        "calibration_error_fitted": 0.007, "brier": 0.05, "brier_fitted": 0.04,
    }  # fmt: skip
    points = [
        {
            "attribute": "hat", "fit": fit, "bin": place, "n": 500, "predicted": place / 10,
            "observed": place / 11, "observed_low": place / 13, "observed_high": place / 10,
        }
        for fit in ("score", "isotonic")
        for place in range(5, 10)
    ]  # fmt: skip
    learning = [
        {"attribute": "hat", "size": size, "examples": 2.0 * size, "right": right,
         "low": right - 0.03, "high": right + 0.02, "gain": None, "gain_low": None,
         "gain_high": None}
        for size, right in ((5, 0.81), (10, 0.88))
    ]  # fmt: skip
    return LabelQualityReport(
        quality=make_table(quality, LABEL_QUALITY),
        calibration=make_table([calibration], LABEL_CALIBRATION),
        reliability=make_table(points, LABEL_RELIABILITY),
        learning=make_table(learning, LEARNING_CURVE),
    )


def _make_attributes() -> tuple[AttributeReport, ...]:
    person = {"source": "zero-shot"}
    rows: list[dict[str, Any]] = [
        {**person, "name": "hat", "reference": "person/hat"},
        {**person, "name": "eyeglasses", "reference": "person/eyeglasses"},
        {**person, "name": "age", "reference": "person/age", "sensitive": True},
        {
            "name": "sharpness", "source": "measured",
            "reference": "image/sharpness", "edges": (12.5, 40.0),
        },
        {"name": "weather", "source": "given", "reference": "column 'weather'"},
    ]  # fmt: skip
    return tuple(AttributeReport(**row) for row in rows)


def make_report_data(
    findings: int = 1, *, systems: tuple[SystemReport, ...] | None = None, **changes: object
) -> ReportData:
    """Return the example audit with `findings` findings, or with other `systems`."""
    chosen = systems if systems is not None else (make_system(findings),)
    fields: dict[str, Any] = {
        "name": "finder on generated faces", "run_id": "0192f0aa51",
        "started_at": "2026-11-21T10:02:11+00:00", "finished_at": "2026-11-21T10:15:42+00:00",
        "samples": 5000, "systems": chosen,
        "attributes": _make_attributes(),
        "coverage": _make_coverage(),
        "value_errors": _make_value_errors(chosen),
        "label_quality": make_label_quality(),
        "rejects": make_table(
            [
                {"path": f"generated/broken-{index}.jpg", "stage": "samples", "reason": reason}
                for index, reason in enumerate(["the file is empty"] * 4 + ["not an image: text"])
            ],
            REJECTS,
        ),
        "counts": {"samples": 5000, "rejects": 5, "images_embedded": 4988, "prompts_encoded": 96},
        "timings": {"samples": 1.2, "embed": 431.0, "label": 3.4, "score": 0.8, "find": 2.1},
        "versions": {"weakspot": "0.1.0", "torch": "2.15.0", "polars": "2.1.0"},
        "config": CONFIG,
        "encoder_id": "ViT-B-32/laion2b_s34b_b79k/3fae91c2/fp32",
        "notes": ("The images were read on 2 cores.",),
    }  # fmt: skip
    return ReportData(**{**fields, **changes})


def make_hostile_text() -> Mapping[str, str]:
    """Return texts that must not break the page, by what they try."""
    return {
        "script": "<script>alert(1)</script>",
        "quotes": "\"'><img src=x onerror=alert(1)>",
        "template": "{{ 7 * 7 }}{% raw %}",
        "entity": "&lt;b&gt; & </style></title><!--",
        "rtl": "\u05e9\u05dc\u05d5\u05dd \u202egnp.exe",
        "long": "x" * 600,
        "controls": "a\x00b\x1bc",
        "undecodable": "caf\udce9.jpg",
        "emoji": "\U0001f9d1\U0001f3fd\u200d\U0001f680 \u6771\u4eac",
    }
