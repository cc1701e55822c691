"""The steps of an object audit as the flows take them, and what each costs in a library alone.

Each side runs in a process of its own: `run_steps` tells seconds, CPU seconds and peak memory of
every step, `run_bare` those of library calls on the same data: reading is parsing the annotation
file and hashing each image, matching is hotcoco from file to matches, storing is writing Parquet,
joining is Polars, slicing is `np.bincount` over every set of attributes.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import polars as pl
from hotcoco import COCO, COCOeval

Measured = dict[str, dict[str, float]]


@contextmanager
def clock(name: str, measured: Measured) -> Iterator[None]:
    """Note the seconds of a step, its CPU seconds, and the process's peak memory until then."""
    started, used = time.perf_counter(), time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    measured[name] = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - used,
        "peak": peak / 1e9,
    }


def run_steps(audit_file: str) -> Measured:
    """Run the stages of an audit but its embedding and report, without a Prefect server."""
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.label import make_labels
    from flows.stages.score import score_sample_set
    from flows.stages.search import search_table
    from pipeline.samples.read import read_samples
    from pipeline.workspace.kept.kept_samples import put_sample_set, read_sample_set
    from pipeline.workspace.label_columns import choose_columns
    from pipeline.workspace.manifests import LabelManifest, ScoredSystem, ScoreManifest
    from pipeline.workspace.search_table import read_search_table
    from pipeline.workspace.store import open_store

    resolved = resolve_audit(Path(audit_file))
    audit = resolved.audit
    measured: Measured = {}
    store = open_store(audit.workspace)
    with clock("read samples", measured):
        found = read_samples(audit.dataset)
    with clock("store samples", measured):
        put_sample_set(found, store, root=str(audit.dataset.root))
    del found
    with clock("label and store", measured):
        make_labels(resolved, store, load=_refuse)
    system = audit.systems[0]
    with clock("match", measured):
        scored = score_sample_set(system, read_sample_set(store))
    with clock("store errors", measured):
        store.put_errors(scored.errors)
        store.put_matches(scored.error_id, scored.matches, scored.image_counts)
        known = {system.name: ScoredSystem(error_id=scored.error_id)}
        ScoreManifest(systems=known).write(store.folder)
    del scored
    with clock("join", measured):
        columns, _ = choose_columns(
            LabelManifest.read(store.folder), label_source="predicted", of_objects=True
        )
        sample_ids = store.read_samples()["sample_id"]
        table = read_search_table(store, columns, system=system.name, sample_ids=sample_ids)
    with clock("slice", measured):
        result = search_table(table, audit.slices, resolved.ordered, resolved.exclusive)
    measured["found"] = {
        f"{result.findings['predicates'][0].to_list()}": result.findings["error"][0]
    }
    return measured


def run_bare(audit_file: str) -> Measured:
    """Time library calls on the data that `run_steps` read and wrote."""
    folder = Path(audit_file).parent
    measured: Measured = {}
    with clock("read samples", measured):
        orjson.loads((folder / "truth.json").read_bytes())
        for path in sorted((folder / "images").rglob("*.jpg")):
            hashlib.sha256(path.read_bytes()).hexdigest()
    with clock("match", measured):
        truth = COCO(str(folder / "truth.json"))
        evaluation = COCOeval(truth, truth.load_res(str(folder / "found.json")), "bbox")
        evaluation.params.iou_thrs = [0.5]
        evaluation.params.area_rng = [[0.0, 1e15]]
        evaluation.params.area_rng_lbl = ["all"]
        evaluation.evaluate()
    del truth, evaluation
    samples = pl.read_parquet(folder / "workspace" / "dataset" / "samples.parquet")
    with duckdb.connect(str(folder / "workspace" / "weakspot.duckdb"), read_only=True) as database:
        labels = database.sql("SELECT * FROM labels").pl()
        errors = database.sql("SELECT * FROM errors").pl()
    with clock("store samples", measured):
        samples.write_parquet(folder / "bare.parquet")
    with clock("label and store", measured):
        edges = np.array([32.0, 64.0, 128.0, 256.0])
        for side in ("h", "w", "x", "y"):
            np.searchsorted(edges, samples[side].drop_nulls().to_numpy())
        labels.write_parquet(folder / "bare.parquet")
    with clock("store errors", measured):
        errors.write_parquet(folder / "bare.parquet")
    by_attribute = labels.select("sample_id", "attribute", "value").partition_by(
        "attribute", include_key=False
    )
    with clock("join", measured):
        table = errors.select("sample_id", "error").join(
            samples.select("sample_id", "parent_id"), on="sample_id"
        )
        for place, column in enumerate(by_attribute):
            table = table.join(column.rename({"value": f"a{place}"}), on="sample_id")
    with clock("slice", measured):
        _count_sets(table, attributes=len(by_attribute))
    return measured


def _count_sets(table: pl.DataFrame, *, attributes: int) -> None:
    """Count rows and errors of every slice up to level 3 with `np.bincount`."""
    errors = table["error"].to_numpy()
    columns = [table[f"a{a}"].cast(pl.Categorical).to_physical() for a in range(attributes)]
    codes = [column.rank("dense").to_numpy().astype(np.int64) - 1 for column in columns]
    for size in (1, 2, 3):
        for chosen in combinations(codes, size):
            key = chosen[0]
            for code in chosen[1:]:
                key = key * (int(code.max()) + 1) + code
            np.bincount(key)
            np.bincount(key, weights=errors)


def _refuse(*_: object) -> Any:
    raise AssertionError("no attribute of this audit needs an encoder")


def run_apart(name: str, audit_file: Path) -> Measured:
    """Run `run_steps` or `run_bare` in a new process and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", __name__, name, str(audit_file)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    asked, argument = sys.argv[1:]
    print(json.dumps({"run_steps": run_steps, "run_bare": run_bare}[asked](argument)))
