"""Runs of workspaces as what is compared: the rows they searched and the findings they listed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.run.record import find_last_search
from pipeline.comparison.changes import AuditRows
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.toml_file import nearest
from pipeline.vocabulary import INSUFFICIENT
from pipeline.workspace.database import Connection
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import LabelManifest, SearchRecord
from pipeline.workspace.search_table import join_labels
from pipeline.workspace.store import Store, find_store


@dataclass(frozen=True)
class ComparedRun:
    """One run of one system. name, started_at: of the run. notes: what is not known of it now."""

    name: str
    run_id: str
    started_at: str
    system: str
    rows: AuditRows
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What a reader knows it by."""
        return f"{self.name}, {self.system}"


def read_run(reference: str, *, system: str | None = None) -> ComparedRun:
    """Read a run: WORKSPACE, the one that searched last, or WORKSPACE@RUN_ID, or how that begins.

    system: its name; needed where the run searched several. Raises ConfigError for a run or system
    that is not there, StoreError where the errors or labels that it searched are not kept.
    """
    path, _, run_id = reference.partition("@")
    return read_stored_run(find_store(Path(path)), run_id, system=system, reference=reference)


def read_stored_run(
    store: Store, run_id: str, *, system: str | None, reference: str
) -> ComparedRun:
    """Read a run of a store; the last one that searched without run_id.

    reference: names the run in messages. Raises as `read_run`.
    """
    run = _find_run(store, run_id)
    search = SearchRecord.from_json(run["search"], source=f"{store.database}, run {run['run_id']}")
    name = _choose_system(search, system, reference)
    samples = store.read_samples()["sample_id"]
    with store.connect() as connection:
        columns = _list_columns(store, search, connection)
        table = join_labels(connection, samples, columns, error_id=search.inputs.errors[name])
    searched = search.systems[name].n
    if table.errors.is_empty():
        raise StoreError(
            f"{reference}: errors and labels of run {run['run_id']} are not kept any more: they "
            "were pruned, or the dataset is another one"
        )
    own = (pl.col("run_id") == run["run_id"]) & (pl.col("system") == name)
    listed = (pl.col("state") != INSUFFICIENT) & own
    gone = searched - len(table.errors)
    return ComparedRun(
        name=run["name"],
        run_id=run["run_id"],
        started_at=run["started_at"],
        system=name,
        rows=AuditRows(
            attributes=table.attributes,
            errors=table.errors.to_numpy(),
            cluster_ids=table.cluster_ids,
            findings=store.read("findings").filter(listed).sort("rank")["predicates"].to_list(),
            counted=store.read_family(run["run_id"]).filter(own).height or search.slices,
            orders=table.orders,
        ),
        notes=(f"{gone:,} of {searched:,} samples of run {run['run_id']} are gone or have changed",)
        if gone > 0
        else (),
    )


def _find_run(store: Store, run_id: str) -> Mapping[str, Any]:
    """Return the row of a run that searched."""
    if not run_id:
        last = find_last_search(store)
        if last is None:
            raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot find` first")
        return last
    searched = store.read("runs").filter(pl.col("search") != "").sort("started_at", "run_id")
    found = searched.filter(pl.col("run_id").str.starts_with(run_id))
    if found.height == 1:
        return found.row(0, named=True)
    known = ", ".join(searched["run_id"].tail(5)) or "none"
    what = "no run" if found.is_empty() else f"{found.height} runs"
    raise ConfigError(
        f"{store.folder}: {what} with an id that starts with {run_id}; the last are {known}"
    )


def _choose_system(search: SearchRecord, system: str | None, reference: str) -> str:
    names = list(search.systems)
    if system is None and len(names) == 1:
        return names[0]
    if system is None:
        raise ConfigError(f"{reference}: name one of its systems with --system: {', '.join(names)}")
    if system not in names:
        raise ConfigError(f"{reference}: no system {system!r}; {nearest(system, names)}")
    return system


def _list_columns(store: Store, search: SearchRecord, connection: Connection) -> list[LabelColumn]:
    """Return the labels that a run searched, of those that are still kept."""
    labels = dict(search.inputs.labels)
    if search.label_source == "truth":
        labels |= search.inputs.truth
    for name in search.left_out:
        labels.pop(name, None)
    of_image = dict(
        connection.execute(
            "SELECT label_id, bool_and(samples.parent_id IS NULL) FROM labels "
            "JOIN samples USING (sample_id) GROUP BY label_id"
        ).fetchall()
    )
    (objects,) = connection.execute(
        "SELECT count(*) > 0 FROM errors JOIN samples USING (sample_id) "
        "WHERE list_contains(?, error_id) AND parent_id IS NOT NULL",
        [list(search.inputs.errors.values())],
    ).fetchall()[0]
    manifest = LabelManifest.find(store.folder)
    values = {one.name: one.values for one in manifest.attributes} if manifest else {}
    return [
        LabelColumn(name, label_id, bool(objects and of_image[label_id]), values.get(name, ()))
        for name, label_id in labels.items()
        if label_id in of_image
    ]
