"""Text in the pictures as they are: how many carry some, and whose labels and findings it is in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from pipeline.arrays import Floats, Mask
from pipeline.exceptions import SearchError
from pipeline.statistics.difference_test import compare_estimates
from pipeline.statistics.estimates import Values, estimate_mean, number_clusters, subtract
from pipeline.statistics.p_values import adjust_holm
from pipeline.vocabulary import LEVEL
from pipeline.workspace.kept.kept_texts import read_kept_texts
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest, SearchRecord, TextsManifest
from pipeline.workspace.search_table import read_search_table
from pipeline.workspace.store import Store, find_store
from reports.parts.words import write_predicates

_LEAST = 5  # samples with text, and without, below which nothing is compared


@dataclass(frozen=True)
class TextEffect:
    """The share right of the labels of one attribute with and without text in the image."""

    attribute: str
    n_with: int
    accuracy_with: float
    accuracy_without: float
    difference: float
    low: float
    high: float
    p_holm: float


@dataclass(frozen=True)
class TextFinding:
    """A finding whose samples carry text more often than the rest."""

    system: str
    rank: int
    slice: str
    share: float
    rest_share: float
    low: float
    high: float
    p_holm: float

    def to_words(self) -> str:
        """Return one sentence for the finding."""
        return (
            f"{self.share:.0%} of its images carry text that can be read, of the rest "
            f"{self.rest_share:.0%}."
        )


@dataclass(frozen=True)
class TextFacts:
    """images, with_text: of those that were read. effects: of attributes with known values.

    findings: those with significantly more text (Holm over all, p < 0.05).
    """

    images: int
    with_text: int
    effects: tuple[TextEffect, ...]
    findings: tuple[TextFinding, ...]

    def to_content(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""
        return asdict(self)

    def to_lines(self, *, findings: bool = True) -> list[str]:
        """Return everything in words; findings: those too."""
        lines = [f"Text was read in {self.with_text:,} of {self.images:,} images."]
        lines += [
            f"{one.attribute}: {one.accuracy_with:.3f} of the labels are right with text "
            f"({one.n_with:,} samples), {one.accuracy_without:.3f} without (difference "
            f"{one.difference:+.3f}, {one.low:+.3f} to {one.high:+.3f}, p {one.p_holm:.2g})."
            for one in self.effects
        ]
        if findings:
            lines += [
                f"Finding {one.rank} of {one.system}, {one.slice}: {one.to_words()}"
                for one in self.findings
            ]
        return lines


def find_text_facts(resolved: ResolvedAudit) -> TextFacts | None:
    """Return what the text that was read in the images says; None where none was read.

    Differences are cluster-robust by image, with two-sided p by the t test, corrected by Holm over
    attributes and over findings. Findings of a search of other labels are left out.
    """
    store = find_store(resolved.audit.workspace)
    if TextsManifest.find(store.folder) is None:
        return None
    texts, _ = read_kept_texts(store)
    there = texts.group_by("content_key").agg(has_text=pl.col("text").is_not_null().any())
    samples = store.read_samples()
    whole = samples.filter(pl.col("parent_id").is_null())
    images = whole.join(there, on="content_key", how="inner").select("sample_id", "has_text")
    carried = samples.select("sample_id", image=pl.coalesce("parent_id", "sample_id")).join(
        images.rename({"sample_id": "image"}), on="image", how="inner"
    )
    return TextFacts(
        images.height,
        int(images["has_text"].sum()),
        _compare_labels(store, carried),
        _compare_findings(resolved, store, carried),
    )


def _compare_labels(store: Store, carried: pl.DataFrame) -> tuple[TextEffect, ...]:
    manifest = LabelManifest.read(store.folder)
    known = read_known_truth(store, manifest).rename({"value": "true"})
    labels = store.read_labels([one.label_id for one in manifest.attributes])
    rows = labels.join(known, on=["sample_id", "attribute"], how="inner").join(
        carried, on="sample_id", how="inner"
    )
    found: list[tuple[str, _Difference]] = []
    for (name,), own in rows.sort("attribute", "sample_id").group_by(
        "attribute", maintain_order=True
    ):
        right = (own["value"] == own["true"]).to_numpy().astype(np.float64)
        compared = _subtract(right, own["has_text"].to_numpy(), own["image"])
        if compared is not None:
            found.append((str(name), compared))
    holm = adjust_holm(np.array([one.p for _, one in found]))
    return tuple(
        TextEffect(name, one.n, one.value, one.other, one.difference, one.low, one.high, float(p))
        for (name, one), p in zip(found, holm, strict=True)
    )


def _compare_findings(
    resolved: ResolvedAudit, store: Store, carried: pl.DataFrame
) -> tuple[TextFinding, ...]:
    run = find_last_search(store)
    if run is None:
        return ()
    manifest = LabelManifest.read(store.folder)
    record = SearchRecord.from_json(run["search"], source=f"{store.database}, run {run['run_id']}")
    now = {one.name: one.label_id for one in manifest.attributes}
    if (dict(record.inputs.labels), dict(record.inputs.truth)) != (now, dict(manifest.truth)):
        return ()  # labelled again since it was searched: its slices are others now
    findings = store.read("findings").filter(pl.col("run_id") == run["run_id"])
    columns, _ = choose_columns(
        manifest, label_source=resolved.audit.slices.labels, of_objects=resolved.of_objects
    )
    found: list[tuple[Mapping[str, Any], _Difference]] = []
    for system in findings["system"].unique().sort():
        try:
            table = read_search_table(
                store, columns, system=system, sample_ids=store.read_samples()["sample_id"]
            )
        except SearchError:  # scored again since it was searched
            continue
        text = pl.DataFrame({"sample_id": table.sample_ids}).join(
            carried, on="sample_id", how="left", maintain_order="left"
        )["has_text"]
        numbers = text.fill_null(value=False).cast(pl.Float64).to_numpy()
        for row in findings.filter(pl.col("system") == system).sort("rank").to_dicts():
            inside = table.select_slice(row["predicates"]).to_numpy()
            compared = _subtract(numbers, inside, table.cluster_ids)
            if compared is not None:
                found.append((row, compared))
    holm = adjust_holm(np.array([one.p for _, one in found]))
    return tuple(
        TextFinding(
            row["system"], row["rank"], write_predicates(row["predicates"]), one.value, one.other,
            one.low, one.high, float(p),
        )
        for (row, one), p in zip(found, holm, strict=True)
        if one.difference > 0 and p < LEVEL
    )  # fmt: skip


@dataclass(frozen=True)
class _Difference:
    n: int
    value: float
    other: float
    difference: float
    low: float
    high: float
    p: float


def _subtract(numbers: Floats, inside: Mask, images: pl.Series) -> _Difference | None:
    """Compare the mean inside with that outside; None where either has too few rows."""
    rows = (np.flatnonzero(inside), np.flatnonzero(~inside))
    if min(map(len, rows)) < _LEAST:
        return None
    values: Values = number_clusters(numbers, images)
    own, other = (estimate_mean(values, part) for part in rows)
    difference, (low, high) = subtract(own, other)
    return _Difference(
        len(rows[0]), own.value, other.value, difference, low, high, compare_estimates(own, other)
    )
