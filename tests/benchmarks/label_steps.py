"""Steps that the benchmarks of labels share: simulated checks, probes, what is found by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.checks.draw import draw_checks
from pipeline.checks.leads import list_leads
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.probes.examples import make_examples
from pipeline.labels.probes.label_comparison import compare_labels
from pipeline.labels.probes.linear_probe import Probe, fit_probe
from pipeline.labels.probes.probe_notes import describe_choice
from pipeline.labels.zero_shot import Prototypes, average_prompts, label_samples
from pipeline.slices import SliceResult, audit_slices
from pipeline.slices.corrected_findings import correct_predicates
from pipeline.slices.known_labels import KnownLabels
from pipeline.slices.soft_labels.membership import SoftLabels
from pipeline.slices.worth_checking import list_worth_checking
from pipeline.vocabulary import RIGHT
from pipeline.workspace.known_truth import KNOWN_TRUTH, fit_inclusion
from tests.benchmarks.face_vectors import Faces

Predicates = list[dict[str, str]]


def label_faces(faces: Faces, attribute: Attribute, prototypes: Prototypes) -> pl.DataFrame:
    """Return LABELS of the faces by prompts; a face is known by the name of its file."""
    return label_samples(
        faces.vectors, prototypes, sample_ids=faces.names, label_id=f"prompts {attribute.name}"
    )


def simulate_checks(
    labels: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    seed: int,
    budget: int = 0,
    per_value: int | None = None,
    leads: pl.DataFrame | None = None,
    before: pl.DataFrame | None = None,
    failed: pl.Series | None = None,
) -> pl.DataFrame:
    """Return KNOWN_TRUTH of checks that `weakspot check-labels` draws and the truth answers.

    truth: sample_id and a column for each attribute, null where none can be said. before:
    KNOWN_TRUTH of earlier sessions by the same labels, which is returned as well. failed:
    sample_ids on which the system fails. Inclusions are fitted to the labels, as every reader of
    checks does.
    """
    attributes = sorted(labels["attribute"].unique())
    samples = labels.select("sample_id").unique(maintain_order=True)
    drawn = draw_checks(
        labels, samples, attributes=attributes, budget=budget, per_value=per_value, seed=seed,
        findings=leads, failed=failed,
        checks=None if before is None else before.with_columns(answer=pl.lit(RIGHT)),
    )  # fmt: skip
    long = truth.unpivot(index="sample_id", variable_name="attribute", value_name="value")
    known = drawn.rows.join(long, on=["sample_id", "attribute"]).drop_nulls("value")
    known = known.select(list(KNOWN_TRUTH))
    if before is not None:
        known = _count_inclusion(pl.concat([before, known]), labels, failed)
    return fit_inclusion(known, labels)


def _count_inclusion(
    known: pl.DataFrame, labels: pl.DataFrame, failed: pl.Series | None
) -> pl.DataFrame:
    """Return checks of several sessions with the share of each stratum that they are."""
    fails = pl.lit(value=False) if failed is None else pl.col("sample_id").is_in(failed.implode())
    stratum = ["attribute", "shown", "failed"]
    rows = labels.select("sample_id", "attribute", shown="value", failed=fails)
    rows = rows.with_columns(size=pl.len().over(stratum))
    own = known.join(rows, on=["sample_id", "attribute"])
    counted = own.with_columns(inclusion=pl.len().over(stratum) / pl.col("size"))
    return counted.select(list(KNOWN_TRUTH))


@dataclass(frozen=True)
class Relabelled:
    """Labels of one attribute after checks, the probe where it is used, and why.

    probabilities: by the probe, used or not; None where none could be trained.
    """

    labels: pl.DataFrame
    probe: Probe | None
    note: str
    probabilities: SoftLabels | None = None


def relabel(
    faces: Faces, attribute: Attribute, prototypes: Prototypes, labels: pl.DataFrame,
    known: pl.DataFrame, *, always: bool = False,
) -> Relabelled:  # fmt: skip
    """Label by a probe where it agrees better with the checks, as `weakspot label` does.

    labels: by prompts. known: KNOWN_TRUTH of this attribute, its inclusion fitted to them. always:
    wherever a probe can be trained.
    """
    rows = pl.DataFrame({"sample_id": faces.names}).with_row_index("row")
    at = known.join(rows, on="sample_id", how="left", maintain_order="left")["row"].to_numpy()
    identities = pl.Series(faces.table["identity"].to_numpy()[at]).cast(pl.String)
    examples = make_examples(known, faces.vectors.values[at], cluster_ids=identities)
    probe = fit_probe(
        examples, attribute=attribute.name, values=list(attribute.values),
        encoder_id=faces.vectors.encoder_id, anchors=average_prompts(prototypes),
    )  # fmt: skip
    if probe is None:
        return Relabelled(labels, None, describe_choice(None, None, known=len(known), used=False))
    ours = probe.label(
        faces.vectors, sample_ids=faces.names, min_margin=attribute.stated_margin, label_id="probe"
    )
    mine, theirs = (
        pl.DataFrame({"sample_id": examples.sample_ids}).join(
            one, on="sample_id", how="left", maintain_order="left"
        )["value"]
        for one in (ours, labels)
    )
    comparison = compare_labels(
        examples.values, mine, theirs, weights=examples.weights, cluster_ids=examples.cluster_ids
    )
    used = comparison.is_better or always
    note = describe_choice(probe, comparison, known=len(known), used=used)
    weights = probe.weigh(faces.vectors.values.astype(np.float64), faces.names)
    soft = SoftLabels(probe.values, weights)
    return Relabelled(ours if used else labels, probe if used else None, note, soft)


def widen(long: pl.DataFrame, ids: pl.Series, *, value: str = "value") -> pl.DataFrame:
    """Return a row for each of n samples and a column for each attribute, null where none is."""
    wide = long.pivot("attribute", index="sample_id", values=value)
    own = pl.DataFrame({"sample_id": ids})
    return own.join(wide, on="sample_id", how="left", maintain_order="left").drop("sample_id")


@dataclass(frozen=True)
class Found:
    """Slices that a search found, and those worth checking, with what is known of their truth.

    findings: WEAKNESSES and the columns of CORRECTIONS. hidden: CORRECTIONS of slices that are
    worth checking. leads: LEADS, by which checks are drawn. known: what was corrected by.
    """

    findings: pl.DataFrame
    hidden: pl.DataFrame
    leads: pl.DataFrame
    known: KnownLabels | None = None

    def find(self, predicates: Predicates) -> Mapping[str, Any] | None:
        """Return the row of a slice, from the findings or those worth checking."""
        wanted = name_slice(predicates)
        for frame in (self.findings, self.hidden):
            for row in frame.iter_rows(named=True):
                if name_slice(row["predicates"]) == wanted:
                    return row
        return None


def name_slice(predicates: Sequence[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    """Return a slice as a set of pairs."""
    return frozenset((one["attribute"], one["value"]) for one in predicates)


def search_labels(table: pl.DataFrame, errors: Floats, *, max_level: int = 2) -> SliceResult:
    """Search as `weakspot find` does."""
    return audit_slices(table, errors, max_level=max_level, exclude_unknown=True)


def know_labels(
    table: pl.DataFrame, errors: Floats, known: pl.DataFrame, ids: pl.Series
) -> KnownLabels:
    """Return labels beside KNOWN_TRUTH."""
    truth, inclusion = widen(known, ids), widen(known, ids, value="inclusion")
    absent = [pl.lit(None, pl.String).alias(name) for name in table.columns
              if name not in truth.columns]  # fmt: skip
    truth = truth.with_columns(absent).select(table.columns)
    inclusion = inclusion.with_columns(one.cast(pl.Float64) for one in absent)
    return KnownLabels(table, truth, inclusion.select(table.columns), frozenset(table.columns),
                       errors, ids)  # fmt: skip


def search(
    table: pl.DataFrame, errors: Floats, *, known: pl.DataFrame | None, ids: pl.Series,
    probabilities: Mapping[str, SoftLabels] | None = None,
) -> Found:  # fmt: skip
    """Search labels, correct what is found by KNOWN_TRUTH, and list what labels hide."""
    result = search_labels(table, errors)
    findings = result.findings
    if known is None:
        return Found(findings, pl.DataFrame(), list_leads(findings, result.family))
    judged = know_labels(table, errors, known, ids)
    judged = replace(judged, probabilities=probabilities or {})
    corrected = correct_predicates(judged, findings["predicates"].to_list(), seed=0)
    hidden = list_worth_checking(judged, findings, counted=result.family.height)
    leads = list_leads(findings, result.family, hidden)
    both = pl.concat([findings, corrected.drop("predicates")], how="horizontal")
    return Found(both, hidden, leads, judged)
