"""`weakspot demo run --noisy-labels`: poor labels, some of them checked, and what comes of it."""

from pathlib import Path

import polars as pl

from flows.checks.answer_files import import_answers, write_sheet
from flows.checks.session import DrawOptions, ask_for_checks, open_session
from flows.run.logs import LOG
from flows.run.record import find_last_search
from flows.run.stages import STAGES
from flows.run.start import start_run
from pipeline.demo.audit_files import SYSTEM
from pipeline.demo.noisy_labels import (
    ATTRIBUTE,
    PER_VALUE,
    LabelledTruth,
    answer_sheet,
    spoil_labels,
    write_corrections,
)
from pipeline.exceptions import StoreError
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.search_table import SearchTable, read_search_table
from pipeline.workspace.store import Store, find_store

_SHEET = "checks.csv"


def run_noisy_demo(audit: Path) -> str | None:
    """Spoil the labels of a demo's audit, check some, and run it; return where its report is."""
    spoil_labels(audit)
    start_run(audit, stages=("embed", "label"), limit=None, with_prefect=False)
    check_labels(audit)
    return start_run(audit, stages=STAGES, limit=None).report


def check_labels(audit: Path) -> None:
    """Check labels as a user would who knows the world: a sheet is written, filled and imported."""
    session = open_session(audit)
    asked = ask_for_checks(session, DrawOptions(per_value=PER_VALUE, attributes=(ATTRIBUTE,)))
    sheet = audit.parent / _SHEET
    write_sheet(session, asked.rows, sheet)
    truth = pl.read_csv(audit.parent / "world" / "attributes.csv")
    answer_sheet(pl.read_csv(sheet, infer_schema=False), truth).write_csv(sheet)
    imported = import_answers(session, sheet, checker="someone who knows the world")
    LOG.info("%s: %s labels were checked", ATTRIBUTE, f"{imported.new:,}")


def compare_corrections(audit: Path) -> str:
    """Return in words the errors of the last search as labelled, corrected and true."""
    store = find_store(audit.parent / "workspace")
    run = find_last_search(store)
    if run is None:
        raise StoreError(f"{store.folder}: nothing was searched yet; run `weakspot run` first")
    own = pl.col("system") == SYSTEM
    findings = store.read("findings").filter(own & (pl.col("run_id") == run["run_id"]))
    hidden = store.read_result(run["run_id"], "worth_checking")
    return write_corrections(
        findings.sort("rank"),
        pl.DataFrame() if hidden is None else hidden.filter(own),
        _read_people(store, pl.read_csv(audit.parent / "world" / "attributes.csv")),
    )


def _read_people(store: Store, world: pl.DataFrame) -> LabelledTruth:
    """Return the labels that were searched beside what is true. world: attributes.csv."""
    columns, _ = choose_columns(
        LabelManifest.read(store.folder), label_source="predicted", of_objects=True
    )
    samples = store.read_samples()
    table: SearchTable = read_search_table(
        store, columns, system=SYSTEM, sample_ids=samples["sample_id"]
    )
    true = (
        pl.DataFrame({"sample_id": table.sample_ids})
        .join(samples.select("sample_id", "annotation_id"), on="sample_id", maintain_order="left")
        .join(
            world.with_columns(pl.col("annotation_id").cast(pl.String)),
            on="annotation_id",
            how="left",
            maintain_order="left",
        )
        .select(table.attributes.columns)
    )
    return LabelledTruth(
        labels=table.attributes, truth=true, errors=table.errors.to_numpy(), orders=table.orders
    )
