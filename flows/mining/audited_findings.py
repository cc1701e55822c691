"""The findings to mine for, and which audited samples belong to each: by labels, and truly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.run.reading.label_truth import read_known_labels
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_stale
from pipeline.arrays import Floats, Mask
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.predicates import select_rows
from pipeline.slices.known_labels import KnownLabels
from pipeline.vocabulary import INSUFFICIENT
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest, SearchRecord
from pipeline.workspace.search_table import read_search_table
from pipeline.workspace.store import Store

Predicates = list[dict[str, str]]


@dataclass(frozen=True)
class Finding:
    """A finding to mine for. rank: its number. share: of the excess error, what it explains."""

    rank: int
    predicates: Predicates
    share: float
    error: float
    rest_error: float


@dataclass(frozen=True)
class AuditedFindings:
    """f findings of one system, and the n audited samples.

    sample_ids, image_ids: (n,). members: (n, f) by the labels of the search. known: (n, f) by true
    values and checks, NaN where these do not say. weights: (n, f) inverses of the probability with
    which that is known. modelled: (f,) whether labels of a model are among its predicates.
    """

    system: str
    run_id: str
    findings: tuple[Finding, ...]
    sample_ids: pl.Series
    image_ids: pl.Series
    members: Mask
    known: Floats
    weights: Floats
    modelled: tuple[bool, ...]


def read_findings(
    resolved: ResolvedAudit, store: Store, *, ranks: Sequence[int], system: str | None
) -> AuditedFindings:
    """Read the findings of the last search, or those of `ranks`, of one system.

    Raises ConfigError for a finding or system that is not there, SearchError where labels or errors
    are not those that the audit asks for now.
    """
    refuse_stale(resolved, store)
    run = find_last_search(store)
    if run is None:
        raise ConfigError(f"{store.folder}: nothing was searched yet; run `weakspot run` first")
    record = SearchRecord.from_json(run["search"], source=f"run {run['run_id']}")
    name = _choose_system(record, system)
    of_run = (pl.col("run_id") == run["run_id"]) & (pl.col("system") == name)
    listed = store.read("findings").filter(of_run & (pl.col("state") != INSUFFICIENT)).sort("rank")
    findings = _choose_findings(listed, ranks, system=name)
    manifest = LabelManifest.read(store.folder)
    columns, _ = choose_columns(
        manifest, label_source=record.label_source, of_objects=resolved.of_objects
    )
    samples = store.read_samples()
    table = read_search_table(store, columns, system=name, sample_ids=samples["sample_id"])
    labels = read_known_labels(store, manifest, columns, table)
    known, weights = zip(*(_read_known(labels, one.predicates) for one in findings), strict=True)
    return AuditedFindings(
        system=name,
        run_id=run["run_id"],
        findings=tuple(findings),
        sample_ids=table.sample_ids,
        image_ids=table.cluster_ids,
        members=np.column_stack([table.select_slice(f.predicates).to_numpy() for f in findings]),
        known=np.column_stack(known),
        weights=np.column_stack(weights),
        modelled=tuple(
            any(one["attribute"] in labels.modelled for one in f.predicates) for f in findings
        ),
    )


def _choose_system(record: SearchRecord, asked: str | None) -> str:
    names = list(record.systems)
    if asked is None and len(names) > 1:
        raise ConfigError(f"name the system with --system, one of {', '.join(names)}")
    name = asked or names[0]
    if name not in names:
        raise ConfigError(f"--system {name}: no such system; {nearest(name, names)}")
    return name


def _choose_findings(listed: pl.DataFrame, ranks: Sequence[int], *, system: str) -> list[Finding]:
    if listed.is_empty():
        raise ConfigError(f"system {system!r} has no finding, so that there is nothing to mine for")
    known = listed["rank"].to_list()
    if absent := [rank for rank in ranks if rank not in known]:
        raise ConfigError(
            f"--finding {absent[0]}: system {system!r} has findings {known[0]} to {known[-1]}"
        )
    kept = listed.filter(pl.col("rank").is_in(list(ranks))) if ranks else listed
    return [
        Finding(
            row["rank"], row["predicates"], row["explained_share"] or 0.0, row["error"],
            row["rest_error"],
        )
        for row in kept.iter_rows(named=True)
    ]  # fmt: skip


def _read_known(labels: KnownLabels, predicates: Predicates) -> tuple[Floats, Floats]:
    """Return (n,) true membership, NaN where it is not known, and its weight.

    A row of which one true value is another than the slice's does not belong to it, whatever the
    others are; it belongs where all are known and fit.
    """
    n = len(labels.errors)
    known, weights = np.ones(n), np.ones(n)
    for one in predicates:
        name = one["attribute"]
        own = select_rows(labels.truth, [one], orders=labels.orders)
        fits: NDArray[np.float64] = own.cast(pl.Float64).fill_null(np.nan).to_numpy()
        inclusion = labels.inclusion[name].fill_null(1.0).to_numpy()
        known = np.where((known == 0) | (fits == 0), 0.0, known * fits)
        weights = weights / np.clip(inclusion, 1e-6, 1.0)
    return known, weights
