"""Regions of the embedding space in which a system fails more than its findings explain."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from flows.run.loaded_models import LoadEncoder, require_encoder
from flows.run.logs import LOG
from flows.run.record import find_last_search
from flows.run.resolved_audit import ResolvedAudit
from flows.run.runner import RunTask, call_task
from flows.run.staleness import note_inputs, refuse_stale, refuse_unsearched
from flows.stages.labellers import encode_prompts
from pipeline.arrays import Mask
from pipeline.config.audit import RegionsConfig
from pipeline.config.error_metrics import LABELS
from pipeline.exceptions import SearchError, StoreError
from pipeline.labels.attribute_file import find_shipped, list_shipped, read_attribute
from pipeline.regions.region_table import RegionRows, WordVectors, tabulate_regions
from pipeline.regions.region_words import TEMPLATE, list_words
from pipeline.regions.weak_regions import find_regions
from pipeline.tables import RESULTS, empty
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest, SearchRecord
from pipeline.workspace.sample_vectors import read_sample_vectors
from pipeline.workspace.search_table import SearchTable, read_search_table
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

MOST_ROWS = 50_000  # samples that are searched; of more, as many by a draw of whole images


@dataclass(frozen=True)
class RegionSettings:
    """What a search of regions is asked: as [regions] and [slices] have it."""

    top: int
    confirm: float
    seed: int


def make_regions(
    resolved: ResolvedAudit, store: Store, *, load: LoadEncoder, run_task: RunTask = call_task
) -> dict[str, int]:
    """Search the regions of every system beside the findings of the last search; keep both tables.

    Returns the count of regions. Raises SearchError where no vectors are stored, or labels and
    errors are not those that were searched, StoreError when nothing was searched yet.
    """
    audit = resolved.audit
    run = find_last_search(store)
    if run is None:
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot find` first")
    search = SearchRecord.from_json(run["search"], source=f"{store.database}, run {run['run_id']}")
    samples = store.read_samples()
    refuse_stale(resolved, store)
    refuse_unsearched(audit, store, search, name=run["name"], inputs=note_inputs(store, samples))
    manifest = LabelManifest.read(store.folder)
    words = _encode_words(resolved, store, manifest, load=load, run_task=run_task)
    columns, _ = choose_columns(
        manifest, label_source=audit.slices.labels, of_objects=resolved.of_objects
    )
    settings = RegionSettings(
        top=(audit.regions or RegionsConfig()).top,
        confirm=audit.slices.confirm,
        seed=audit.slices.seed,
    )
    findings = store.read("findings").filter(pl.col("run_id") == run["run_id"])
    parts: dict[str, list[pl.DataFrame]] = {
        name: [empty(RESULTS[name])] for name in ("regions", "region_members")
    }
    for system in audit.systems:
        if system.format == LABELS:
            LOG.warning("%s: regions of the audit's own labels are not searched", system.name)
            continue
        table = read_search_table(
            store, columns, system=system.name, sample_ids=samples["sample_id"]
        )
        found = findings.filter(pl.col("system") == system.name).sort("rank")
        masks = [table.select_slice(one).to_numpy() for one in found["predicates"].to_list()]
        rows, inside = gather_rows(
            table, masks, samples, store, encoder_id=str(manifest.encoder_id), seed=settings.seed
        )
        try:
            frames = run_task(search_regions, rows, inside, words, settings, system.name)
        except SearchError as error:  # too few samples; other systems may have more
            LOG.warning("%s: %s", system.name, error)
            continue
        keys = [pl.lit(run["run_id"]).alias("run_id"), pl.lit(system.name).alias("system")]
        for name, frame in zip(parts, frames, strict=True):
            parts[name].append(frame.select(*keys, pl.all()))
        LOG.info("%s: weak regions: %d", system.name, frames[0].height)
    for name, own in parts.items():
        store.write_result(run["run_id"], name, pl.concat(own))
    return {"regions": sum(frame.height for frame in parts["regions"])}


def search_regions(
    rows: RegionRows,
    findings: list[Mask],
    words: WordVectors,
    settings: RegionSettings,
    system: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return REGIONS and REGION_MEMBERS of one system.

    findings: the (n,) rows of each finding. On one thread, so that sums do not depend on how many
    there are.
    """
    images = rows.image_ids.rank("dense").to_numpy().astype(np.int64) - 1
    with threadpool_limits(1):
        found = find_regions(
            rows.vectors,
            rows.errors,
            images,
            findings,
            top=settings.top,
            confirm=settings.confirm,
            seed=settings.seed,
        )
        return tabulate_regions(found, rows, words, system=system)


def gather_rows(
    table: SearchTable,
    findings: list[Mask],
    samples: pl.DataFrame,
    store: Store,
    *,
    encoder_id: str,
    seed: int,
) -> tuple[RegionRows, list[Mask]]:
    """Return the rows of a search table that have a vector, and those of them in each finding.

    Of more than 50,000 rows whole images are drawn until there are as many.
    """
    keys = samples.select("sample_id", "content_key")
    own = pl.DataFrame({"sample_id": table.sample_ids}).join(
        keys, on="sample_id", how="left", maintain_order="left"
    )
    own = own.filter(_draw_images(table.cluster_ids, seed=seed))
    vectors = read_sample_vectors(store, own, encoder_id=encoder_id)
    kept = table.sample_ids.is_in(vectors.keys.implode())
    inside = kept.to_numpy()
    rows = RegionRows(
        sample_ids=table.sample_ids.filter(kept),
        image_ids=table.cluster_ids.filter(kept),
        vectors=vectors.values,
        errors=table.errors.to_numpy()[inside],
        attributes=table.attributes.filter(kept),
    )
    return rows, [mask[inside] for mask in findings]


def _draw_images(image_ids: pl.Series, *, seed: int) -> pl.Series:
    """Return which rows are searched: all, or those of drawn images."""
    if len(image_ids) <= MOST_ROWS:
        return pl.repeat(value=True, n=len(image_ids), eager=True)
    LOG.warning("regions are searched among %s of %s samples", f"{MOST_ROWS:,}", len(image_ids))
    number = image_ids.rank("dense").to_numpy().astype(np.int64) - 1
    place = np.random.default_rng([seed, 6]).permutation(int(number.max()) + 1)[number]
    counts = np.bincount(place)
    last = int(np.searchsorted(np.cumsum(counts), MOST_ROWS, side="right"))
    return pl.Series(place < last)


def _encode_words(
    resolved: ResolvedAudit,
    store: Store,
    manifest: LabelManifest,
    *,
    load: LoadEncoder,
    run_task: RunTask,
) -> WordVectors:
    """Return the vectors of the shipped words and of the prompts of all attribute files."""
    if manifest.encoder_id is None:
        raise SearchError(
            "regions are searched in the vectors of an encoder, and no attribute of this audit "
            "needs any; use one with prompts"
        )
    shipped = [read_attribute(find_shipped(name)) for name in list_shipped()]
    prompted = [one for one in (*resolved.attributes, *shipped) if one.kind == "prompts"]
    prompts = [text for one in prompted for own in one.values.values() for text in own]
    words = list(dict.fromkeys([*list_words(), *prompts]))
    texts = [TEMPLATE.format(word) for word in words]
    config = require_encoder(resolved.audit)
    run_task(encode_prompts, texts, manifest.encoder_id, config, store, load)
    vectors = read_vectors(texts, store.prompts, encoder_id=manifest.encoder_id)
    values: NDArray[np.float64] = vectors.values.astype(np.float64)
    return WordVectors(words, values)
