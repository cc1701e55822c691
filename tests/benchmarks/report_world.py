"""A workspace of many samples as an audit would have left it: labels, errors, thousands of slices.

A small real audit is run first; then its samples, labels and errors are replaced by many, and its
findings by as many as asked. So the manifests and records are those of the stages.
"""

from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from flows.run.record import find_last_search
from flows.run.staleness import note_inputs
from pipeline.tables import ERRORS, FINDINGS, LABELS, RUNS, SAMPLES, SLICES
from pipeline.workspace.manifests import LabelManifest, ScoreManifest, SearchRecord
from pipeline.workspace.store import Store
from tests.flows.direct import open_audit, run_directly

ATTRIBUTES = tuple(f"attribute{number:02}" for number in range(12))
VALUES = ("first", "second", "third", "fourth")
REAL = 96  # images that are there
CONFIG = """\
name = "large"
[dataset]
format = "folder"
images = "images"
columns = "columns.parquet"
[attributes]
given = [{names}]
[[systems]]
name = "system"
format = "table"
predictions = "errors.parquet"
error = "loss"
[slices]
max_level = 2
"""


def make_workspace(folder: Path, *, samples: int, findings: int) -> Path:
    """Write the audit and its workspace; return audit.toml."""
    config = _run_small(folder)
    _, store = open_audit(config)
    ids = _put_samples(store, samples)
    rng = np.random.default_rng(3)
    for attribute in LabelManifest.read(store.folder).attributes:
        codes = rng.integers(0, len(VALUES), samples)
        _put_labels(store, attribute.name, attribute.label_id, ids, codes)
    scored = ScoreManifest.read(store.folder).systems["system"]
    _clear(store, "errors")
    loss = (rng.random(samples) < 0.1).astype(np.float64)
    named = {"error_id": scored.error_id, "system": "system", "metric": "loss"}
    errors = pl.DataFrame({"sample_id": ids, "error": loss}).with_columns(
        pl.lit(value).alias(name) for name, value in named.items()
    )
    store.put_errors(errors.select(list(ERRORS)))
    _put_search(store, samples, float(loss.mean()), findings)
    return config


def _run_small(folder: Path) -> Path:
    images = folder / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(1)
    names = [f"{number:07}.png" for number in range(REAL)]
    for name in names:
        pixels = rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / name)
    columns = {one: rng.choice(VALUES, REAL) for one in ATTRIBUTES}
    pl.DataFrame({"path": names, **columns}).write_parquet(folder / "columns.parquet")
    loss = (rng.random(REAL) < 0.5).astype(np.float64)
    pl.DataFrame({"path": names, "loss": loss}).write_parquet(folder / "errors.parquet")
    config = folder / "audit.toml"
    config.write_text(CONFIG.format(names=", ".join(f'"{one}"' for one in ATTRIBUTES)))
    run_directly(config, stages=("embed", "label", "score", "find"))
    return config


def _put_samples(store: Store, count: int) -> pl.Series:
    """Replace the samples by `count`, which have the real images in turn; return ids."""
    real = store.read_samples()
    one = real.row(0, named=True)
    numbers = pl.int_range(count, eager=True)
    text = pl.col("number").cast(pl.String).str.zfill(16)
    image = (pl.col("number") % REAL).cast(pl.String).str.zfill(7)
    rows = pl.DataFrame({"number": numbers}).with_columns(
        sample_id=pl.lit("f" * 16) + text, path=image + ".png"
    )
    rows = rows.with_columns(
        *(pl.lit(value, dtype=SAMPLES[name]).alias(name) for name, value in one.items()
          if name not in ("sample_id", "path", "content_key")),
        content_key=pl.col("sample_id"),
    )  # fmt: skip
    store.put_samples(rows.select(list(SAMPLES)))
    return rows["sample_id"]


def _put_labels(
    store: Store, attribute: str, label_id: str, ids: pl.Series, codes: np.ndarray[Any, Any]
) -> None:
    values = pl.Series(list(VALUES)).gather(codes)
    rows = pl.DataFrame({"sample_id": ids, "value": values}).with_columns(
        attribute=pl.lit(attribute), source=pl.lit("given"), label_id=pl.lit(label_id),
        score=pl.lit(None, dtype=pl.Float64), margin=pl.lit(None, dtype=pl.Float64),
    )  # fmt: skip
    store.put_labels(rows.select([pl.col(name).cast(kind) for name, kind in LABELS.items()]))


def _clear(store: Store, table: str) -> None:
    with store.connect(read_only=False) as connection:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of our own


def _put_search(store: Store, n: int, error: float, count: int) -> None:
    """Make the last run one that searched all of these, with `count` findings."""
    run = find_last_search(store)
    assert run is not None
    search = SearchRecord.from_json(run["search"], source="the bench")
    system = search.systems["system"].model_copy(update={"n": n, "error": error})
    inputs = note_inputs(store, store.read_samples())
    changed = search.model_copy(update={"systems": {"system": system}, "inputs": inputs})
    row = {**run, "search": changed.model_dump_json()}
    store.put_run(pl.DataFrame([row], schema=dict(RUNS)))
    _clear(store, "findings")
    rows = [_describe(run["run_id"], rank, one, n, error) for rank, one in _slices(count)]
    empty_lists = {"folded": [], "folded_count": 0, "checks_needed": None}
    frame = pl.DataFrame([row | empty_lists for row in rows], schema=dict(FINDINGS))
    family = pl.DataFrame(rows, schema=dict(SLICES))
    store.put_findings(frame, family, run_id=run["run_id"])


def _slices(count: int) -> list[tuple[int, list[dict[str, str]]]]:
    """Return `count` slices of one, two and three predicates, numbered from 1."""
    every = (
        [{"attribute": a, "value": v} for a, v in zip(names, values, strict=True)]
        for level in (1, 2, 3)
        for names in combinations(ATTRIBUTES, level)
        for values in product(VALUES, repeat=level)
    )
    return [(rank, one) for rank, one in zip(range(1, count + 1), every, strict=False)]


def _describe(
    run_id: str, rank: int, predicates: list[dict[str, str]], n: int, error: float
) -> dict[str, Any]:
    size = n // len(VALUES) ** len(predicates)
    return {
        "run_id": run_id, "system": "system", "rank": rank, "predicates": predicates,
        "level": len(predicates), "n": size, "weight": float(size), "error": error + 0.01,
        "rest_error": error, "difference": 0.01, "ci_low": 0.005, "ci_high": 0.015, "lift": 1.1,
        "score": 0.1, "p": 1e-4, "q": 1e-3, "q_residual": 1e-3, "p_family": 0.01,
        "state": "confirmed", "explained_share": 0.01, "sum_error": size * error,
        "sum_error2": size * error, "max_error": 1.0,
    }  # fmt: skip
