"""`weakspot demo`: draw the world, or run a whole audit on it and compare with the truth."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.run.logs import LOG, set_up_logging
from pipeline.exceptions import ConfigError
from pipeline.files.core_count import count_cores

if TYPE_CHECKING:
    import polars as pl

    from pipeline.demo.compare import Comparison
    from pipeline.workspace.search_table import SearchTable
    from pipeline.workspace.store import Store

app = typer.Typer(help="A drawn world whose truth is known.", no_args_is_help=True)

Images = Annotated[int, typer.Option(min=1, help="How many images to draw.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, another world.")]
NoisyLabels = Annotated[
    bool,
    typer.Option(
        "--noisy-labels", help="Label one attribute by poor prompts, check some, correct the rest."
    ),
]
Mend = Annotated[
    bool,
    typer.Option(
        "--mend", help="Then mine images for the findings, train again with them, and compare."
    ),
]
Workers = Annotated[int, typer.Option(min=0, help="Processes that draw; 0: one a core.")]


@app.command("world")
def demo_world(
    out: Annotated[Path, typer.Argument(help="The folder to write.", metavar="OUT")],
    *,
    images: Images = 3000,
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """Draw scenes with people: JPEG files, COCO annotations, and the truth of every attribute."""
    from pipeline.demo.world import write_world

    world = write_world(out, images=images, seed=seed, workers=workers or count_cores())
    typer.echo(f"drew {world.n_images:,} images with {world.n_people:,} people into {out}")


@app.command("run")
def demo_run(
    out: Annotated[Path, typer.Argument(help="The folder to write.", metavar="OUT")] = Path("demo"),
    *,
    images: Images = 3000,
    seed: Seed = 0,
    workers: Workers = 0,
    noisy_labels: NoisyLabels = False,
    mend: Mend = False,
) -> None:
    """Do the whole job: draw a world, train a detector with blind spots, audit it, compare."""
    if mend and noisy_labels:
        raise ConfigError("--mend and --noisy-labels are two demos; give one of them")
    set_up_logging()
    audit = prepare_demo(out, images=images, seed=seed, workers=workers or count_cores())
    if noisy_labels:
        from flows.commands.noisy_demo import compare_corrections, run_noisy_demo

        report = run_noisy_demo(audit)
        typer.echo(compare_corrections(audit))
        typer.echo(f"report: {report}")
        return
    report = run_demo_audit(audit)
    from pipeline.demo.compare import write_comparison

    typer.echo(write_comparison(compare_with_truth(audit)))
    if mend:
        from flows.commands.mining.mended_demo import mend_demo

        report = mend_demo(audit, seed=seed, workers=workers or count_cores())
    typer.echo(f"report: {report}")


def prepare_demo(
    out: Path, *, images: int, seed: int, workers: int, balanced: bool = False
) -> Path:
    """Draw the world, train the system on its poor sample, let it predict; return audit.toml.

    balanced: audit a second one beside it, trained on a balanced sample of the same size.
    """
    from pipeline.demo.audit_files import BALANCED_SYSTEM, SYSTEM, clear_demo, write_audit
    from pipeline.demo.system import BALANCED, LACKING, MIN_SCORE, train_system, write_predictions
    from pipeline.demo.world import write_world

    clear_demo(out)
    with _log_time(f"drawing {images:,} images"):
        world = write_world(out / "world", images=images, seed=seed, workers=workers)
    plans = {SYSTEM: LACKING} | ({BALANCED_SYSTEM: BALANCED} if balanced else {})
    systems = {}
    for name, plan in plans.items():
        with _log_time(f"training the {name}"):
            network = train_system(plan, seed=seed, workers=workers)
        with _log_time("running it on the images"):
            file = out / f"{name.replace(' ', '_')}.json"
            write_predictions(network, world.annotations, world.images, file)
        systems[name] = file.name
    return write_audit(out, world, systems=systems, min_score=MIN_SCORE)


def compare_with_truth(audit_file: Path) -> "Comparison":
    """Compare the findings of the run audit with the groups that its system's training lacked."""
    import polars as pl

    from pipeline.demo.system import LEFT_OUT
    from pipeline.tables import PREDICATES

    groups = [[{"attribute": a, "value": v} for a, v in group] for group in LEFT_OUT]
    return _compare(audit_file, pl.DataFrame({"predicates": groups}, {"predicates": PREDICATES}))


def compare_with_search(audit_file: Path) -> "Comparison":
    """Compare the findings of the run audit with those of the same search on true values."""
    return _compare(audit_file, None)


def _compare(audit_file: Path, truth: "pl.DataFrame | None") -> "Comparison":
    """Compare the last findings with `truth`, or with a search on true values for None."""
    from flows.run.record import find_last_search
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.search import search_table
    from pipeline.demo.audit_files import SYSTEM
    from pipeline.demo.compare import compare_findings
    from pipeline.exceptions import StoreError
    from pipeline.workspace.store import open_store

    resolved = resolve_audit(audit_file)
    store = open_store(resolved.audit.workspace)
    table = read_true_table(store, SYSTEM)
    if truth is None:
        asked = resolved.audit.slices
        truth = search_table(table, asked, resolved.ordered, resolved.exclusive).findings
    last = find_last_search(store)
    if last is None:
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot run` first")
    findings = store.read("findings")
    ours = (findings["run_id"] == last["run_id"]) & (findings["system"] == SYSTEM)
    return compare_findings(
        truth,
        findings.filter(ours).sort("rank"),
        table=table.attributes,
        errors=table.errors.to_numpy(),
        orders=table.orders,
    )


def read_true_table(store: "Store", system: str) -> "SearchTable":
    """Return the true values of the objects in a workspace, beside the errors of a system."""
    from pipeline.workspace.label_columns import choose_columns
    from pipeline.workspace.manifests import LabelManifest
    from pipeline.workspace.search_table import read_search_table

    columns, _ = choose_columns(
        LabelManifest.read(store.folder), label_source="truth", of_objects=True
    )
    sample_ids = store.read_samples()["sample_id"]
    return read_search_table(store, columns, system=system, sample_ids=sample_ids)


def run_demo_audit(audit: Path) -> str | None:
    """Run the audit of a demo; return where its report is."""
    from flows.run.stages import STAGES
    from flows.run.start import start_run

    return start_run(audit, stages=STAGES, limit=None).report


@contextmanager
def _log_time(what: str) -> Iterator[None]:
    started = time.monotonic()
    LOG.info("%s", what)
    yield
    LOG.info("%s: %.1f s", what, time.monotonic() - started)
