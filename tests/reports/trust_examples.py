"""A made-up encoder that reads words and leans towards a group."""

from pipeline.tables import FLIPS, PROBES, TRUST
from reports.trust_models import TrustReport
from tests.reports.report_examples import make_table

NOTE = "Labels of hat follow a word written into the picture in 34%."


def make_trust(text: str | None = None) -> TrustReport:
    """Return one verdict, one pair of words and two rows of flips; text: in place of all words."""
    name, group = text or "hat", text or "woman"
    verdict = {
        "attribute": name, "accuracy": 0.91, "accuracy_low": 0.89, "accuracy_high": 0.93,
        "quality": "good", "flips": 0.34, "flips_low": 0.28, "flips_high": 0.4,
        "text": "reads text", "group": group, "bias_difference": -0.02, "bias_low": -0.05,
        "bias_high": 0.01, "bias": "no large difference", "leakage": "not measured",
        "verdict": "endangered", "note": text or NOTE,
    }  # fmt: skip
    pair = {
        "subject": text or "traits", "first": text or "a rich person",
        "second": text or "a poor person", "attribute": "gender", "group": group,
        "others": text or "man", "n": 900, "others_n": 800, "clusters": 400,
        "others_clusters": 390, "share": 0.6, "others_share": 0.4, "shift": 0.2,
        "shift_low": 0.15, "shift_high": 0.25, "d": 0.9, "d_low": 0.8, "d_high": 1.0,
        "null_median": 0.6, "null_edge": 1.2, "percentile": 0.8, "p": 0.2, "p_family": 0.6,
        "image_p": 0.001, "wordings": 27, "wordings_held": 0.4, "d_least": 0.2, "d_most": 1.1,
        "verdict": "not shown", "reason": text or "neutral words do as much",
    }  # fmt: skip
    flips = [
        {
            "attribute": name, "defence": defence, "n": 200, "pairs": 400, "flips": share,
            "control_flips": 0.05, "difference": share - 0.05, "difference_low": share - 0.1,
            "difference_high": share, "p": 0.001, "p_holm": 0.01, "clean_accuracy": 0.9,
            "accuracy_change": change, "verdict": "reads text",
        }
        for defence, share, change in (("none", 0.39, None), ("mask", 0.1, -0.01))
    ]  # fmt: skip
    return TrustReport(
        trust=make_table([verdict], TRUST),
        probes=make_table([pair], PROBES),
        flips=make_table(flips, FLIPS),
        probed=text or "gender",
        adjust=(text or "smiling",),
        probe_notes=(text or "each image counts as another person",),
        text_facts=(text or "Text was read in 40 of 1,700 images.",),
        text_findings={("finder", 1): text or "31% of its images carry text."},
    )
