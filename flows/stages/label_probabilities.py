"""Probabilities of true values by the probes that are kept, where vectors are stored."""

import re

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.labels.probes.linear_probe import Probe
from pipeline.slices.soft_labels.membership import SoftLabels
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

_BLOCK = 20_000  # vectors in memory at a time


def weigh_by_probes(
    store: Store,
    encoder_id: str | None,
    known: pl.DataFrame,
    *,
    attributes: frozenset[str],
    sample_ids: pl.Series,
) -> dict[str, SoftLabels]:
    """Return the probabilities of the attributes that have a probe.

    encoder_id: of the labels, None where they need none. known: KNOWN_TRUTH, which probes were
    trained on. attributes: whose labels a model made. sample_ids: (n,) of the rows; those without
    a vector get NaN. A probe need not label: where it was not shown to be better than prompts, its
    probabilities are those of the checks all the same. Rows that it was trained on get held-out
    ones.
    """
    if encoder_id is None or not attributes or not (store.probes / encoder_id).is_dir():
        return {}
    found = {
        name: find_probe(store, name, encoder_id, known.filter(pl.col("attribute") == name))
        for name in sorted(attributes)
    }
    probes = {name: probe for name, probe in found.items() if probe is not None}
    tables = {name: np.full((len(sample_ids), len(one.values)), np.nan)
              for name, one in probes.items()}  # fmt: skip
    if probes:
        _fill(tables, probes, store, encoder_id, sample_ids)
    return {name: SoftLabels(one.values, tables[name]) for name, one in probes.items()}


def find_probe(store: Store, name: str, encoder_id: str, known: pl.DataFrame) -> Probe | None:
    """Return the kept probe of most examples, all of which are still known to be true.

    known: KNOWN_TRUTH of the attribute. None where no probe of it is kept.
    """
    values = dict(known.select("sample_id", "value").iter_rows())
    best: Probe | None = None
    stem = re.sub(r"[^\w-]", "_", name)  # as the probe was kept
    for path in sorted((store.probes / encoder_id).glob(f"{stem}-*.json")):
        probe = Probe.from_json(path.read_text(encoding="utf-8"), source=str(path))
        if probe is None or probe.attribute != name or not probe.held_out.keys() <= values.keys():
            continue
        if best is None or probe.examples > best.examples:
            best = probe
    return best


def _fill(
    tables: dict[str, Floats],
    probes: dict[str, Probe],
    store: Store,
    encoder_id: str,
    sample_ids: pl.Series,
) -> None:
    """Write the probabilities of all rows whose vector is stored."""
    contents = store.read_samples().select("sample_id", "content_key")
    rows = pl.DataFrame({"sample_id": sample_ids}).with_row_index("row")
    rows = rows.join(contents, on="sample_id", how="left", maintain_order="left")
    for block in rows.iter_slices(_BLOCK):
        vectors = read_vectors(
            block["content_key"].drop_nulls().unique(), store.embeddings, encoder_id=encoder_id
        )
        places = pl.DataFrame({"content_key": vectors.keys}).with_row_index("at")
        there = block.join(places, on="content_key", how="inner", maintain_order="left")
        if there.is_empty():
            continue
        own = vectors.values[there["at"].to_numpy()].astype(np.float64)
        for name, probe in probes.items():
            tables[name][there["row"].to_numpy()] = probe.weigh(own, there["sample_id"])
