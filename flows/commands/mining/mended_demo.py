"""`weakspot demo run --mend`: images mined for what was found, labelled, trained with, compared."""

from pathlib import Path

import typer

from flows.commands.comparing.comparison_output import print_changes
from flows.commands.console import open_console
from flows.commands.console_tables import tabulate
from flows.commands.mining.mined_words import tabulate_rates
from flows.mining.kept_mined import keep_mined
from flows.mining.mine_pool import Mined, MineOptions, mine_pool
from flows.mining.returned_labels import read_returned
from flows.run.loaded_models import load_open_clip
from flows.run.logs import LOG
from flows.run.reading.compared_runs import read_run
from flows.run.resolved_audit import resolve_audit
from flows.run.stages import STAGES
from flows.run.start import start_run
from pipeline.comparison.changes import compare_all, compare_slices
from pipeline.demo.audit_files import SYSTEM
from pipeline.demo.system import LACKING, read_labelled, train_system, write_predictions
from pipeline.demo.world import World, write_world
from pipeline.mining.mined_table import count_hits
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store, find_store

POOL = 2_000  # unlabelled images
BUDGET = 400  # of them, that are labelled
POOL_SEED = 20_000_000  # worlds of pools: seeds of audited worlds are small


def mend_demo(audit: Path, *, seed: int, workers: int) -> str | None:
    """Mine for the findings of a demo's audit, train its detector again, and audit that too.

    Prints the hits among what was mined, and what changed. Returns where the new report is.
    """
    folder = audit.parent
    LOG.info("drawing a pool of %s images", f"{POOL:,}")
    pool = write_world(folder / "pool", images=POOL, seed=POOL_SEED + seed, workers=workers)
    resolved = resolve_audit(audit)
    store = find_store(resolved.audit.workspace)
    options = MineOptions(pool=pool.images, budget=BUDGET)
    mined = mine_pool(resolved, store, options, load=load_open_clip)
    keep_mined(mined, store)
    print_hits(mined, pool, store)
    paths = mined.table["path"].unique(maintain_order=True).to_list()
    LOG.info("training again, with %d mined images", len(paths))
    more = read_labelled(pool.annotations, pool.images, paths)
    network = train_system(LACKING, seed=seed, workers=workers, more=more)
    world = folder / "world"
    file = folder / f"{SYSTEM.replace(' ', '_')}.json"
    write_predictions(network, world / "annotations.json", world / "images", file)
    report = start_run(audit, stages=STAGES).report
    print_mended(store, mined.run_id)
    return report


def print_hits(mined: Mined, pool: World, store: Store) -> None:
    """Print the hits expected among what was mined, beside those that the world knows of."""
    manifest = LabelManifest.read(store.folder)
    orders = {one.name: one.values for one in manifest.attributes if one.values}
    returned = read_returned(pool.attributes, mined.table, orders=orders)
    rows = tabulate_rates(count_hits(mined.table, mined.rates, returned.hits))
    title = f"{mined.table.height:,} of {mined.pool.units.height:,} unlabelled images, mined"
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    open_console().print(tabulate(title, columns))


def print_mended(store: Store, run_id: str) -> None:
    """Print what changed in the slices since a run."""
    before = read_run(f"{store.folder}@{run_id}", system=SYSTEM)
    sides = (before, read_run(str(store.folder), system=SYSTEM))
    overall = compare_all(sides[0].rows, sides[1].rows)
    changes = compare_slices(sides[0].rows, sides[1].rows)
    typer.echo("Found, mined, mended: the same people, before and after")
    print_changes(sides, overall, changes)
