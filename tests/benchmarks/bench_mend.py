"""From a weak slice to a better model, measured: mined images against random and uncertain ones.

`python -m tests.benchmarks.bench_mend --seeds 0 1` audits the demo's detector in the world of each
seed, mines 400 images for its findings from a pool of 6,000 that has no labels, labels them by
truth, trains again, and does the same with 400 random images and with the 400 that the detector is
least sure of. It prints the gaps of the findings before and after, on the same people, and the
precision of what was mined. `--keep FOLDER` keeps worlds, vectors and detections, so that a killed
bench goes on.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import nn

from flows.mining.mine_pool import Mined, MineOptions, mine_pool
from flows.mining.returned_labels import read_returned
from flows.run.loaded_models import load_open_clip
from flows.run.reading.compared_runs import read_run
from flows.run.resolved_audit import resolve_audit
from flows.run.start import start_run
from pipeline.comparison.changes import NEW, WORSE, compare_slices
from pipeline.demo.audit_files import SYSTEM, write_audit
from pipeline.demo.person_detector import predict
from pipeline.demo.system import (
    LACKING,
    MIN_SCORE,
    Labelled,
    read_labelled,
    train_system,
    write_predictions,
)
from pipeline.demo.world import World, write_world
from pipeline.files.core_count import count_cores
from pipeline.mining.mined_table import count_hits
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import find_store
from reports.parts.words import write_predicates

POOL_SEED = 20_000_000
ARMS = ("mined", "random", "uncertain")
_STAGES = ("embed", "label", "score", "find")


def choose_uncertain(network: nn.Module, pool: Labelled, count: int) -> NDArray[np.int64]:
    """Return the images whose detections the detector is least sure of: the largest sums of
    binary entropies of their scores (Shannon entropy as in Settles 2009, section 3.1)."""
    sums = []
    for detections in predict(network, pool.pixels, min_score=0.02):
        shares = np.clip([one.score for one in detections], 1e-6, 1 - 1e-6)
        sums.append(float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum()))
    order: NDArray[np.int64] = np.argsort(-np.array(sums), kind="stable")[:count]
    return order


def run_seed(
    seed: int, folder: Path, *, images: int, pool_images: int, budget: int
) -> pl.DataFrame:
    """Run all arms of one seed in a folder; return one row a finding and arm."""
    workers = count_cores()
    world = _draw(folder / "world", images=images, seed=seed)
    pool = _draw(folder / "pool", images=pool_images, seed=POOL_SEED + seed)
    unsure = folder / "uncertain.npy"
    if not unsure.exists():
        base = train_system(LACKING, seed=seed, workers=workers)
        _predict(base, world, folder, SYSTEM)
        np.save(unsure, choose_uncertain(base, _read_pool(pool), budget))
    systems = {SYSTEM: _name_file(SYSTEM)}
    audit = write_audit(folder, world, systems=systems, min_score=MIN_SCORE)
    start_run(audit, stages=_STAGES, with_prefect=False)
    started = time.monotonic()
    resolved = resolve_audit(audit)
    store = find_store(resolved.audit.workspace)
    options = MineOptions(pool=pool.images, budget=budget)
    mined = mine_pool(resolved, store, options, load=load_open_clip)
    print(f"\nseed {seed}: mined in {time.monotonic() - started:.0f} s", flush=True)
    hits = _print_hits(mined, pool, LabelManifest.read(store.folder))
    every = _list_pool(pool)
    rng = np.random.default_rng([seed, 18])
    chosen = {
        "mined": [every.index(path) for path in mined.table["path"].unique().sort()],
        "random": rng.choice(len(every), budget, replace=False).tolist(),
        "uncertain": np.load(unsure).tolist(),
    }
    for arm, rows in chosen.items():
        if not (folder / _name_file(arm)).exists():
            paths = [every[row] for row in rows]
            more = read_labelled(pool.annotations, pool.images, paths)
            network = train_system(LACKING, seed=seed, workers=workers, more=more)
            _predict(network, world, folder, arm)
        systems[arm] = _name_file(arm)
    audit = write_audit(folder, world, systems=systems, min_score=MIN_SCORE)
    start_run(audit, stages=_STAGES, with_prefect=False)
    return pl.concat([_compare(folder / "workspace", arm, seed) for arm in ARMS]).join(
        hits, on="slice", how="left"
    )


def _draw(folder: Path, *, images: int, seed: int) -> World:
    """Draw a world, or return the one that lies there."""
    drawn = folder / "drawn"
    if drawn.exists():
        return World(
            images=folder / "images",
            annotations=folder / "annotations.json",
            attributes=folder / "attributes.csv",
            conditions=folder / "conditions.csv",
            n_images=images,
            n_people=0,
        )
    world = write_world(folder, images=images, seed=seed, workers=count_cores())
    drawn.touch()
    return world


def _list_pool(pool: World) -> list[str]:
    return sorted(path.name for path in pool.images.iterdir())


def _read_pool(pool: World) -> Labelled:
    return read_labelled(pool.annotations, pool.images, _list_pool(pool))


def _name_file(system: str) -> str:
    return f"{system.replace(' ', '_')}.json"


def _predict(network: nn.Module, world: World, folder: Path, name: str) -> None:
    """Write the detections of a network in the world; whole or not at all."""
    unfinished = folder / f"{name}.unfinished"
    write_predictions(network, world.annotations, world.images, unfinished)
    unfinished.rename(folder / _name_file(name))


def _print_hits(mined: Mined, pool: World, manifest: LabelManifest) -> pl.DataFrame:
    """Print and return the real rates of hits, beside those of the whole pool by truth."""
    orders = {one.name: one.values for one in manifest.attributes if one.values}
    found = read_returned(pool.attributes, mined.table, orders=orders)
    rates = count_hits(mined.table, mined.rates, found.hits)
    truth = pl.read_csv(pool.attributes)
    rows = []
    for row in rates.iter_rows(named=True):
        fits = pl.all_horizontal(pl.col(p["attribute"]) == p["value"] for p in row["predicates"])
        share = truth.filter(fits)["path"].n_unique() / pool.n_images
        rows.append((write_predicates(row["predicates"]), row["rate"], share))
        print(
            f"  {rows[-1][0]:40} mined {row['mined']:3}  expected {row['expected']:.2f} "
            f"({row['expected_low']:.2f} to {row['expected_high']:.2f})  found {row['rate']:.2f}  "
            f"random {share:.3f}  times {row['rate'] / share:.1f}",
            flush=True,
        )
    return pl.DataFrame(rows, schema=["slice", "precision", "random_precision"], orient="row")


def _compare(workspace: Path, arm: str, seed: int) -> pl.DataFrame:
    """Return the findings of the base detector with their gaps before and after an arm."""
    before, after = read_run(str(workspace), system=SYSTEM), read_run(str(workspace), system=arm)
    changes = compare_slices(before.rows, after.rows)
    worse = changes.filter(pl.col("verdict").is_in([NEW, WORSE]) | (pl.col("change_low") > 0))
    for row in worse.iter_rows(named=True):
        print(
            f"  {arm}: {row['verdict']}: {write_predicates(row['predicates'])}: error "
            f"{row['error_before']:.3f} -> {row['error_after']:.3f}, change {row['change']:+.3f} "
            f"({row['change_low']:+.3f} to {row['change_high']:+.3f})"
        )
    found = changes.filter(pl.col("listed") != "after")
    names = [write_predicates(one) for one in found["predicates"].to_list()]
    return found.select(
        pl.lit(seed).alias("seed"), pl.lit(arm).alias("arm"), pl.Series("slice", names),
        "gap_before", "gap_after", "gap_change_low", "gap_change_high",
        pl.lit(float(before.rows.errors.mean())).alias("miss_before"),
        pl.lit(float(after.rows.errors.mean())).alias("miss_after"),
        pl.lit(worse.filter(pl.col("change_low") > 0).height).alias("grown"),
    )  # fmt: skip


def print_gaps(rows: pl.DataFrame) -> None:
    """Print the gaps of all findings by arm, and what is left of them together."""
    for (seed, name), part in rows.group_by("seed", "slice", maintain_order=True):
        left = {row["arm"]: row["gap_after"] for row in part.iter_rows(named=True)}
        cells = "  ".join(f"{arm} {left[arm]:+.3f}" for arm in ARMS)
        print(f"  {seed:8} {name!s:40} before {part['gap_before'][0]:+.3f}  {cells}")
    totals = rows.group_by("seed", "arm", maintain_order=True).agg(
        left=pl.col("gap_after").mean() / pl.col("gap_before").mean(),
        miss=pl.col("miss_after").first(),
        grown=pl.col("grown").first(),
    )
    for row in totals.iter_rows(named=True):
        print(
            f"  {row['seed']:8} {row['arm']:10} left of the mean gap {row['left']:.2f}, missed "
            f"{row['miss']:.3f}, slices whose error grew beyond its interval {row['grown']}",
            flush=True,
        )


def main(arguments: list[str] | None = None) -> None:
    """Print the tables of each seed, then of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--pool", type=int, default=6000)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    parts = []
    for seed in options.seeds:
        with contextlib.ExitStack() as stack:
            home = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder = home / str(seed)
            folder.mkdir(parents=True, exist_ok=True)
            parts.append(
                run_seed(
                    seed, folder, images=options.images, pool_images=options.pool,
                    budget=options.budget,
                )
            )  # fmt: skip
        print_gaps(parts[-1])
    if len(parts) > 1:
        print(f"\nall {len(parts)} seeds")
        print_gaps(pl.concat(parts))


if __name__ == "__main__":
    main()
