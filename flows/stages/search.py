"""Fifth stage: the slices in which a system does worse, with the evidence for each."""

from typing import TYPE_CHECKING, Any

import polars as pl
from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.run.logs import LOG
from flows.run.staleness import note_inputs, refuse_outdated
from flows.run.tasks import shard_task
from flows.stages.coverage import cover_domain
from flows.stages.samples import load_samples
from pipeline.config.audit import Audit, SliceSearch
from pipeline.exceptions import SearchError
from pipeline.tables import FINDINGS, SLICES, empty
from pipeline.workspace.search_table import LabelColumn, SearchTable, join_labels
from pipeline.workspace.store import Store, open_store
from reports.parts.words import write_predicates

if TYPE_CHECKING:
    from pipeline.slices import SliceResult


@flow(name="find")
def find_slices(audit: Audit, run_id: str) -> dict[str, Any]:
    """Search every system's errors; keep families and findings; return what each search saw."""
    store = open_store(audit.workspace)
    refuse_outdated(audit, store)
    families, findings, seen = [empty(SLICES)], [empty(FINDINGS)], {}
    domain: dict[str, Any] = {}
    _, left_out = choose_columns(audit, store)
    if left_out:
        LOG.warning("not searched, for lack of true values: %s", ", ".join(left_out))
    for system in audit.systems:
        table = read_search_table(audit, store, system.name)
        domain = domain or cover_domain(audit, table, store, run_id)
        result = search_system(table, audit.slices)
        keys = [pl.lit(run_id).alias("run_id"), pl.lit(system.name).alias("system")]
        families.append(result.family.select(*keys, pl.all()))
        findings.append(result.findings.select(*keys, pl.all()))
        seen[system.name] = _describe(table, result)
        for note in result.notes:
            LOG.info("%s: %s", system.name, note)
    family, found = pl.concat(families), pl.concat(findings)
    store.put_findings(found, family, run_id=run_id)
    create_table_artifact(_tabulate(found), key="weakspot-findings", description=audit.name)
    return {
        "systems": seen,
        "left_out": left_out,
        "slices": family.height,
        "inputs": note_inputs(store),
        "label_source": audit.slices.labels,
        "domain": domain,
    }


def choose_columns(audit: Audit, store: Store) -> tuple[list[LabelColumn], list[str]]:
    """Return the labels to search, and the attributes that cannot be.

    With labels = "truth" these are all true ones, and measured and given attributes beside them;
    attributes known by prompts alone are left out.
    """
    manifest = store.read_manifest("label")
    columns, truth = list_labelled(audit, store)
    if audit.slices.labels == "predicted":
        return list(columns.values()), []
    prompted = {e["name"] for e in manifest["attributes"] if e["source"] == "zero-shot"}
    left_out = sorted(prompted - set(truth))
    kept = {name: column for name, column in columns.items() if name not in prompted}
    return list({**kept, **truth}.values()), left_out


def list_labelled(
    audit: Audit, store: Store
) -> tuple[dict[str, LabelColumn], dict[str, LabelColumn]]:
    """Return the labels that were made of each attribute, and the true ones, by its name."""
    manifest = store.read_manifest("label")
    of_objects = audit.dataset.sample == "object"
    columns = {
        entry["name"]: LabelColumn(
            entry["name"], entry["label_id"], of_objects and entry["applies_to"] == "image"
        )
        for entry in manifest["attributes"]
    }
    truth = {name: LabelColumn(name, label_id) for name, label_id in manifest["truth"].items()}
    return columns, truth


def read_search_table(audit: Audit, store: Store, system: str) -> SearchTable:
    """Join the labels to search with one system's errors. Raises SearchError if none are left."""
    columns, _ = choose_columns(audit, store)
    sample_ids = load_samples(store).samples["sample_id"]
    error_id = find_error_id(store, system)
    with store.connect() as connection:
        table = join_labels(connection, sample_ids, columns, error_id=error_id)
    if table.errors.is_empty():
        raise SearchError(
            f"system {system!r}: no sample has both an error and labels "
            f"({table.samples_without_labels} have an error alone); see `weakspot export "
            f"{store.folder} rejects rejects.csv`"
        )
    return table


def find_error_id(store: Store, system: str) -> str:
    """Return the id of a system's errors. Raises SearchError when it is not scored."""
    scored = store.read_manifest("score")["systems"]
    if system not in scored:
        raise SearchError(f"system {system!r} is not scored yet; run `weakspot score` first")
    error_id: str = scored[system]["error_id"]
    return error_id


@shard_task(name="search system")
def search_system(table: SearchTable, asked: SliceSearch) -> "SliceResult":
    """Search one system's errors as a task."""
    return search_table(table, asked)


def search_table(table: SearchTable, asked: SliceSearch) -> "SliceResult":
    """Search errors as [slices] asks."""
    from pipeline.slices import (  # numba takes a second that other stages save
        AuditOptions,
        audit_slices,
    )

    return audit_slices(
        table.attributes,
        table.errors.to_numpy(),
        cluster_ids=table.cluster_ids.to_numpy(),
        options=AuditOptions(
            alpha=asked.alpha,
            max_level=asked.max_level,
            min_support=asked.min_support,
            top=asked.top,
            engine=asked.engine,
            confirm=asked.confirm,
            seed=asked.seed,
            exclude_unknown=not asked.include_unknown,
        ),
    )


def _describe(table: SearchTable, result: "SliceResult") -> dict[str, Any]:
    """Return what the report says of a search beyond its slices."""
    return {
        "n": len(table.errors),
        "samples_without_labels": table.samples_without_labels,
        "error": result.error,
        "detectable_gap": result.detectable_gap,
        "notes": list(result.notes),
    }


def _tabulate(findings: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the findings as rows that Prefect's artifact page can show."""
    return [
        {
            "system": row["system"],
            "slice": write_predicates(row["predicates"]),
            "n": row["n"],
            "error": row["error"],
            "elsewhere": row["rest_error"],
            "q": row["q"],
            "state": row["state"],
        }
        for row in findings.iter_rows(named=True)
    ]
