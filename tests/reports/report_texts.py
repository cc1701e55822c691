"""Every text of a report that a catalogue is asked for: of templates, views and vocabularies."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.attacks.flips import NO_EFFECT, READS_TEXT
from pipeline.comparison.trends import BACK, GONE, LASTING, NEW
from pipeline.config.error_metrics import METRICS
from pipeline.errors.evaluation.tide import KINDS
from pipeline.errors.output_counts import OUTPUT_WORDS
from pipeline.fairness.classifier_metrics import DISPARITIES
from pipeline.probes.probe_verdict import NOT_SHOWN, SHOWN
from pipeline.trust.attribute_verdicts import ENDANGERED, GOOD, NOTHING_FOUND, POOR
from pipeline.trust.group_accuracy import LEANS, NO_DIFFERENCE, NOT_MEASURED
from pipeline.vocabulary import (
    CONFIRMED,
    FAIL,
    GAP,
    INSUFFICIENT,
    LIKELY,
    NO_GAP,
    NOT_JUDGED,
    PASS,
    UNCLEAR,
)
from reports.parts.words import SOURCES, STATES
from reports.views import detectors, domain, fairness, label_quality
from reports.views.groups import EMPTY

# Words that reach `say` in a variable.
EVIDENCE = ("held-out p", "q", "family-wise p", "q when chosen", "true", "predicted", "p")
JUDGES = ("true values", "checks by people", "true values, or checks by people")
PROBES = (
    "No pair of words was judged: there are no two groups of two images each.",
    "For {few} the images are too few to say.",
    "For {few} the images are too few to say; {needed} people or images of each group would do.",
    "This encoder takes most neutral nouns for one word: it knows too few words for probes.",
    "The groups color every word in this encoder: labels by it are less fair than any one word "
    "shows.",
)
METRIC_NAMES = (
    "recall", "selection rate", "true positive rate", "false positive rate",
    *(f"{name} {kind}" for name in DISPARITIES for kind in ("difference", "ratio")),
)  # fmt: skip
SHORT = (
    "{n} true values", "{n} checks", "{n} of {slice}", "{n} more checks of {slice}",
    "{name}: where it fails (the first {n} alone)", "combinations of {level} values",
    "without error",
    "{error}, at most the {allowed} that are allowed",
    "{error}, more than the {allowed} that are allowed",
    "{error}, more than the {allowed} that are allowed, which may be chance or is of too few "
    "samples",
)  # fmt: skip
ROOT = Path(__file__).parents[2] / "reports"
_CALL = re.compile(r"""\bn?_\((?:[^"()]*,\s*)?("(?:[^"\\]|\\.)*"(?:,\s*"(?:[^"\\]|\\.)*")?)""")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SAYING = {"say", "count", "mark", "mark_count"}


def list_texts() -> set[str]:
    """Return them all, in English."""
    return {*_read_templates(), *_read_views(), *_list_vocabulary()}


def _read_templates() -> Iterator[str]:
    for path in sorted(ROOT.glob("templates/**/*.html")):
        for call in _CALL.findall(path.read_text(encoding="utf-8")):
            for text in _TEXT.findall(call):
                yield text.replace('\\"', '"')


def _read_views() -> Iterator[str]:
    """Yield the literals among the first arguments of calls of `say` and the like."""
    for path in sorted(ROOT.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            of_words = name in _SAYING and not (name == "count" and len(node.args) < 3)
            if of_words and path.name != "catalogue.py":
                for argument in node.args:
                    yield from _list_literals(argument)


def _list_literals(node: ast.AST) -> Iterator[str]:
    """Yield the texts of an argument: either side of a choice, but no part of another text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_list_literals(node.body), *_list_literals(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _list_literals(value)


def _list_vocabulary() -> Iterator[str]:
    for metric in METRICS.values():
        words = (metric.failed, metric.passed, metric.mean, metric.meaning, metric.flawless)
        yield from filter(None, words)
    yield from (*SOURCES.values(), *STATES, *STATES.values(), *OUTPUT_WORDS.values(), *KINDS)
    yield from (CONFIRMED, LIKELY, UNCLEAR, INSUFFICIENT, GAP, NO_GAP, PASS, FAIL, NOT_JUDGED)
    yield from (EMPTY, f"{GAP} in its favor", *fairness.COUNTED.values())
    yield from (*detectors.MEANINGS.values(), *detectors.POINTS.values())
    yield from (*label_quality.METHODS.values(), *domain.KINDS.values())
    yield from (domain.COVERED, domain.RARE, domain.MISSING)
    yield from (
        NEW,
        LASTING,
        BACK,
        GONE,
        *EVIDENCE,
        "Groups",
        "Pairs of groups",
        "given",
        "measured",
    )
    yield from (*METRIC_NAMES, *JUDGES, *SHORT)
    yield from (ENDANGERED, NOTHING_FOUND, GOOD, POOR, NOT_MEASURED, LEANS, NO_DIFFERENCE)
    yield from (READS_TEXT, NO_EFFECT, SHOWN, NOT_SHOWN, *PROBES)
    for kind in ("image", "object", "detection"):
        yield from (kind, f"{kind}s")
