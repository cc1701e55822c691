"""A snapshot made of a workspace: labels, errors, measures and halves joined to the samples."""

import contextlib
import os
from collections.abc import Mapping, Sequence

import polars as pl

from flows.browsing.snapshots.snapshot import CATEGORIES, Snapshot, SnapshotCard, SnapshotSystem
from flows.run.record import find_last_search
from flows.run.staleness import note_inputs
from pipeline.config.audit import Audit
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import StoreError
from pipeline.images.measure import MEASURE_VERSION
from pipeline.samples.paths import list_links
from pipeline.vocabulary import UNKNOWN
from pipeline.workspace.database_copy import copy_database
from pipeline.workspace.label_columns import LabelColumn, list_columns, list_true_columns
from pipeline.workspace.manifests import (
    LabelManifest,
    SamplesManifest,
    ScoreManifest,
    SearchRecord,
)
from pipeline.workspace.store import Store

_LEFT_OUT = ("annotation_id", "size", "mtime")


def build_snapshot(store: Store, snapshot_id: str) -> Snapshot:
    """Read a workspace as it is now, from a copy of its database.

    Raises StoreError when there are no samples, or something is written all the time.
    """
    label = LabelManifest.find(store.folder)
    with copy_database(store) as copy:
        runs = copy.read("runs").sort("started_at", "run_id")
        findings = copy.read("findings")
        last = find_last_search(copy)
        stale = _list_stale(copy, last)
        wide, systems = _join_samples(copy, label)
    if last is not None and _held_some_out(last):
        wide = _join_held_out(wide, systems, store)
    wide = _narrow_texts(_join_measures(wide, store))
    manifest = SamplesManifest.read(store.folder)
    card = SnapshotCard(
        snapshot_id=snapshot_id,
        name=_name(runs, store),
        root=manifest.root or ".",
        link_roots=_list_link_roots(runs, manifest.root or "."),
        of_objects=bool(wide["parent_id"].is_not_null().any()),
        attributes=() if label is None else label.attributes,
        truth=() if label is None else tuple(label.truth),
        systems=systems,
        encoder_id=None if label is None else label.encoder_id,
        searched=last["run_id"] if last else "",
        finished_at=last["finished_at"] if last else "",
        label_source=_read_search(last).label_source if last else "predicted",
        stale=stale,
        limit=manifest.limit,
    )
    return Snapshot(card, wide, findings, runs)


def _join_samples(
    store: Store, label: LabelManifest | None
) -> tuple[pl.DataFrame, tuple[SnapshotSystem, ...]]:
    """Return the samples that errors belong to with their labels and errors, and the systems."""
    samples = scored_samples(store.read_samples()).sort("sample_id")
    if samples.is_empty():
        raise StoreError(f"{store.folder}: there are no samples; run `weakspot run` first")
    of_objects = bool(samples["parent_id"].is_not_null().any())
    image = pl.coalesce("parent_id", "sample_id").rank("dense").cast(pl.Int32) - 1
    wide = samples.drop(_LEFT_OUT).with_columns(image=image)
    if label is not None:
        for column in list_columns(label, of_objects=of_objects).values():
            wide = _join_labels(wide, column, store)
        for column in list_true_columns(label).values():
            wide = _join_truth(wide, column, store)
    return _join_errors(wide, store, ScoreManifest.find(store.folder))


def _held_some_out(run: Mapping[str, str]) -> bool:
    try:
        return Audit.model_validate_json(run["config"]).slices.confirm > 0
    except ValueError:  # the audit of another version
        return False


def _read_search(run: Mapping[str, str]) -> SearchRecord:
    return SearchRecord.from_json(run["search"], source=f"run {run['run_id']}")


def _name(runs: pl.DataFrame, store: Store) -> str:
    return str(runs["name"][-1]) if runs.height else store.folder.name


def _list_link_roots(runs: pl.DataFrame, root: str) -> tuple[str, ...] | None:
    """Return where links in the dataset may lead, by the audit of the latest run."""
    with contextlib.suppress(ValueError, IndexError):
        dataset = Audit.model_validate_json(runs["config"][-1]).dataset
        links = list_links(dataset)
        return None if links.anywhere else links.roots
    return (os.path.realpath(root),)


def _list_stale(store: Store, last: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return in words what is no longer as the last search read it."""
    if last is None:
        return ()
    try:
        then = _read_search(last).inputs.model_dump()
        now = note_inputs(store, store.read_samples()).model_dump()
    except StoreError:  # a stage has not run yet, or a record is of another version
        return ("the last search cannot be compared with what is here now",)
    return tuple(f"the {name} are not those that were searched" for name in now
                 if then[name] != now[name])  # fmt: skip


def _join_labels(wide: pl.DataFrame, column: LabelColumn, store: Store) -> pl.DataFrame:
    labels = store.read_labels([column.label_id]).select("sample_id", "value", "score", "margin")
    name = column.attribute
    values = pl.Series("values", [*column.values, UNKNOWN, *labels["value"].unique().sort()])
    known = pl.Enum(values.unique(maintain_order=True))
    taken = labels.select(
        "sample_id",
        pl.col("value").cast(known).alias(f"label.{name}"),
        pl.col("score").cast(pl.Float32).alias(f"score.{name}"),
        pl.col("margin").cast(pl.Float32).alias(f"margin.{name}"),
    )
    empty = [one for one in taken.columns[2:] if taken[one].null_count() == taken.height]
    return _join(wide, taken.drop(empty), key="parent_id" if column.of_image else "sample_id")


def _join_truth(wide: pl.DataFrame, column: LabelColumn, store: Store) -> pl.DataFrame:
    labels = store.read_labels([column.label_id])
    known = pl.Enum([*dict.fromkeys([*column.values, *labels["value"].unique().sort()])])
    value = pl.col("value").cast(known).alias(f"truth.{column.attribute}")
    return _join(wide, labels.select("sample_id", value))


def _join_errors(
    wide: pl.DataFrame, store: Store, scored: ScoreManifest | None
) -> tuple[pl.DataFrame, tuple[SnapshotSystem, ...]]:
    if scored is None:
        return wide, ()
    errors = store.read("errors")
    systems = []
    for name, one in scored.systems.items():
        own = errors.filter(pl.col("error_id") == one.error_id)
        systems.append(
            SnapshotSystem(
                name=name,
                metric=own["metric"][0] if own.height else "error",
                error_id=one.error_id,
                share=bool(own["error"].is_between(0, 1).all()),
            )
        )
        wide = _join(wide, own.select("sample_id", pl.col("error").alias(f"error.{name}")))
    return wide, tuple(systems)


def _join_held_out(
    wide: pl.DataFrame, systems: Sequence[SnapshotSystem], store: Store
) -> pl.DataFrame:
    """Mark the samples that the last search of each system held out, where it held some."""
    kept = store.read("held_out")
    if kept.is_empty():
        return wide
    last = kept.filter(pl.col("run_id") == kept["run_id"].max())
    for one in systems:
        own = last.filter(pl.col("system") == one.name)["sample_id"]
        if len(own):
            mark = pl.when(pl.col("sample_id").is_in(own.implode())).then(pl.lit("yes"))
            halves = mark.otherwise(pl.lit("no")).cast(pl.Enum(["yes", "no"]))
            wide = wide.with_columns(halves.alias(f"held_out.{one.name}"))
    return wide


def _join_measures(wide: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Join what was measured of the pixels, by content."""
    if not any(store.measurements.glob("*.parquet")):
        return wide
    rows = store.read("measurements").filter(pl.col("measure_version") == MEASURE_VERSION)
    for (name,), own in sorted(rows.group_by("measure"), key=lambda pair: str(pair[0][0])):
        value = pl.col("value").cast(pl.Float32).alias(f"measure.{name}")
        wide = wide.join(
            own.select("content_key", value), on="content_key", how="left", maintain_order="left"
        )
    return wide


def _narrow_texts(wide: pl.DataFrame) -> pl.DataFrame:
    """Write columns of few different texts as numbered values."""
    for name in ("category", "split"):
        values = wide[name].drop_nulls().unique().sort()
        if 0 < len(values) <= CATEGORIES:
            wide = wide.with_columns(pl.col(name).cast(pl.Enum(values)))
    return wide


def _join(wide: pl.DataFrame, more: pl.DataFrame, *, key: str = "sample_id") -> pl.DataFrame:
    if key == "sample_id" and more["sample_id"].equals(wide["sample_id"]):
        return wide.hstack(more.drop("sample_id"))
    return wide.join(more, left_on=key, right_on="sample_id", how="left", maintain_order="left")
