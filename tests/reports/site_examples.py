"""A made-up site: drawn pictures, boxes and scores of nobody."""

import io
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from pipeline.tables import COLLECTION, VALUE_ERRORS
from reports.pages.site.site import Site
from reports.site_models import (
    HISTOGRAM,
    SCORES,
    AttributeEvidence,
    FindingEvidence,
    SceneBox,
    Shot,
    ShownLabel,
    SiteData,
)
from tests.reports.detector_examples import make_detector
from tests.reports.fairness_examples import make_domain, make_fairness
from tests.reports.report_examples import make_report_data, make_system, make_table


def draw_webp(shade: int, *, side: int = 64) -> bytes:
    """Return a small picture of one color."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side * 3 // 4), (shade % 256, 120, 90)).save(buffer, "WEBP")
    return buffer.getvalue()


def make_shot(number: int, *, error: float, text: str = "") -> Shot:
    """Return a sample with two boxes on its image, a label and a file name."""
    boxes = (
        SceneBox("missed", "truth", (4.0, 5.0, 20.0, 30.0), text or "person", focus=True),
        SceneBox("false", "detection", (30.0, 5.0, 9.0, 9.0), "person", score=0.62, iou=0.0),
    )
    return Shot(
        sample_id=f"sample{number:04}", caption=text or f"scene-{number:04}.jpg", error=error,
        picture=f"{number:05}-1.webp", scene=f"{number:05}.webp", size=(64, 48), boxes=boxes,
        labels=(ShownLabel(text or "hat", text or "yes", 0.91),),
    )  # fmt: skip


def make_evidence(start: int, *, text: str = "") -> FindingEvidence:
    """Return the evidence of a finding whose samples are numbered from `start`."""
    shots = [make_shot(start + at, error=float(at < 2), text=text) for at in range(6)]
    cell = text.encode("utf-8", "replace").decode("utf-8")  # what a frame can hold
    rows = [
        {"system": "finder", "attribute": cell or "weather", "value": value, "n": 90,
         "error": error, "ci_low": error - 0.05, "ci_high": error + 0.05}
        for value, error in (("rain", 0.4), ("sun", 0.1))
    ]  # fmt: skip
    histogram = [
        {"low": 0.0, "high": 0.0, "inside": 0.73, "outside": 0.95},
        {"low": 1.0, "high": 1.0, "inside": 0.27, "outside": 0.05},
    ]
    return FindingEvidence(
        failing=tuple(shots[:2]), passing=tuple(shots[2:4]), near=tuple(shots[4:]),
        error_share=0.31, sample_share=0.09, covered_errors=0.5, covered_samples=0.2,
        histogram=make_table(histogram, HISTOGRAM), others=make_table(rows, VALUE_ERRORS),
        sample_ids=pl.Series([shot.sample_id for shot in shots]), n=442,
        allowed=((text or "hat", (text or "yes",)), ("it's", ("1", "2"))),
    )  # fmt: skip


def make_site(findings: int = 3, /, *, text: str = "", **changes: Any) -> SiteData:
    """Return a site of some findings; text: stands wherever a user's text can."""
    plan = [{"predicates": [{"attribute": "hat", "value": "yes"}], "missing": 30, "covers": 2}]
    domain = make_domain()
    report = changes.pop("report", None) or make_report_data(
        systems=(make_system(findings, gallery={}, detector=make_detector()),),
        fairness=(make_fairness(),),
        domain=type(domain)(**{**vars(domain), "collect_next": make_table(plan, COLLECTION)}),
    )  # fmt: skip
    names = [(system.name, rank) for system in report.systems for rank in system.findings["rank"]]
    evidence = {key: make_evidence(10 * at, text=text) for at, key in enumerate(names)}
    shots = [s for one in evidence.values() for s in (*one.failing, *one.passing, *one.near)]
    scores = pl.DataFrame([("yes", 0.9, 0.95, 12)], schema=dict(SCORES), orient="row")
    attribute = AttributeEvidence(
        scores=scores, numbers=scores.select("low", "high", "n"),
        most=(make_shot(0, error=1.0, text=text),),
        prompts={text or "yes": (text or "a person in a hat",)}, templates=("a photo of {}.",),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "report": report,
        "findings": evidence,
        "attributes": {one.name: attribute for one in report.attributes},
        "pictures": {
            name: draw_webp(at) for at, s in enumerate(shots) for name in (s.picture, s.scene)
        },
        "attachments": {"findings.json": b"{}"},
        "false_detections": {
            system.name: {"background": (make_shot(0, error=1.0, text=text),)}
            for system in report.systems
        },
    }
    return SiteData(**{**fields, **changes})


def write_example(site: SiteData, folder: Path) -> Path:
    """Write a site to a folder; return its index."""
    for name, data in Site(site).build():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "index.html"
