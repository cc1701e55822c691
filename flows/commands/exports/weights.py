"""`weakspot export ... weights`: how often a sample should be trained on, by the findings."""

import numpy as np
import polars as pl

from flows.run.record import find_last_search
from flows.run.staleness import note_inputs
from pipeline.exceptions import StoreError
from pipeline.mining.sample_weights import tabulate_weights
from pipeline.tables import check
from pipeline.tables.mining_tables import WEIGHTS
from pipeline.vocabulary import INSUFFICIENT
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest, SearchRecord
from pipeline.workspace.search_table import read_search_table
from pipeline.workspace.store import Store

_TINY = 1e-12  # in place of an error of 0


def build_weights(store: Store) -> pl.DataFrame:
    """Return WEIGHTS of the samples that the last search read, for each system.

    Objects are there by annotation_id, and the images around them. Samples without an error or a
    label are left out. Raises StoreError when nothing was searched yet, or when samples, labels or
    errors are others than those that were searched.
    """
    run = find_last_search(store)
    if run is None:
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot run` first")
    record = SearchRecord.from_json(run["search"], source=f"run {run['run_id']}")
    samples = store.read_samples()
    _refuse_other_inputs(store, record, samples)
    columns, _ = choose_columns(
        LabelManifest.read(store.folder),
        label_source=record.label_source,
        of_objects=bool(samples["parent_id"].is_not_null().any()),
    )
    held = (pl.col("run_id") == run["run_id"]) & (pl.col("state") != INSUFFICIENT)
    findings = store.read("findings").filter(held).sort("rank")
    parts = []
    for system in record.systems:
        table = read_search_table(store, columns, system=system, sample_ids=samples["sample_id"])
        own = findings.filter(pl.col("system") == system)
        masks = [table.select_slice(one).alias(str(place))
                 for place, one in enumerate(own["predicates"].to_list())]  # fmt: skip
        rows = pl.DataFrame({"sample_id": table.sample_ids}).join(
            samples.select("sample_id", "parent_id", "path", "annotation_id"),
            on="sample_id", how="left", maintain_order="left",
        )  # fmt: skip
        members = pl.DataFrame(masks).to_numpy().reshape(rows.height, len(masks)).astype(bool)
        # Not `lift`, which is null where the rest has no error.
        lifts = own["error"].to_numpy() / np.maximum(own["rest_error"].to_numpy(), _TINY)
        weights = tabulate_weights(rows, members, lifts.tolist(), own["rank"].to_list())
        parts.append(weights.select(pl.lit(system).alias("system"), pl.all()))
    return check(pl.concat(parts), WEIGHTS, table="weights")


def _refuse_other_inputs(store: Store, record: SearchRecord, samples: pl.DataFrame) -> None:
    """Raise StoreError where the findings are not of the labels and errors of now."""
    names = ["samples", "labels", "errors", *(["truth"] if record.label_source == "truth" else [])]
    then, now = record.inputs.model_dump(), note_inputs(store, samples).model_dump()
    if changed := [name for name in names if then[name] != now[name]]:
        raise StoreError(
            f"{store.folder}: the {' and '.join(changed)} are not those that were searched; run "
            "`weakspot run` first"
        )
