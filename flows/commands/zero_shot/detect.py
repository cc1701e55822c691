"""`weakspot detect`: objects in the images of an audit, as results, and how good they are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.audits.run import AuditFile
from flows.commands.zero_shot.arguments import AsSystem, Json, NoPrefect, RunIt
from flows.commands.zero_shot.system_audit import check_system_name, run_whole

if TYPE_CHECKING:
    from flows.windows.detect_dataset import DatasetDetections


def detect(
    audit: AuditFile,
    *,
    detector: Annotated[
        str | None, typer.Option(help="patches, zero-shot:FOLDER or another; the audit's own.")
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(help="TOML: categories, background, windows, min_score.", dir_okay=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="FILE.json: COCO results.", dir_okay=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Print AP, recall and false positives.")
    ] = False,
    as_system: AsSystem = None,
    run: RunIt = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Find objects in all images of an audit by words or another detector."""
    from flows.commands.zero_shot.detect_output import (
        check_out,
        print_check,
        write_results,
        write_system_audit,
    )
    from flows.run.loaded_models import load_open_clip
    from flows.windows.detect_dataset import detect_dataset
    from pipeline.detectors.load import load_detector

    check_out(out)
    check_system_name(
        audit, as_system, results=".json" if out is None else None, run=run, json_output=json_output
    )
    found = detect_dataset(
        audit, detector=detector, words=words, load=load_detector, load_encoder=load_open_clip
    )
    files = write_results(found, audit, out, as_system)
    config = write_system_audit(found, audit, as_system, files)
    if json_output:
        typer.echo(json.dumps(_describe(found, files, config), ensure_ascii=False))
        return
    typer.echo(
        f"{found.detector}: {found.detections.height:,} detections in {found.images:,} images, "
        f"ran on {found.ran_on:,} of them; {found.rejects:,} could not be used"
    )
    for category, count in found.foreign.items():
        typer.echo(f"left out: {count:,} of {category!r}, which is no category of the dataset")
    for file in files:
        typer.echo(f"wrote {file}")
    if check:
        print_check(found)
    if config is None:
        return
    typer.echo(f"wrote {config}; weakspot run {config}")
    if run:
        run_whole(config, no_prefect=no_prefect)


def _describe(found: "DatasetDetections", files: list[Path], config: Path | None) -> dict[str, Any]:
    return {
        "detector": found.detector,
        "categories": found.categories,
        "images": found.images,
        "rejects": found.rejects,
        "ran_on": found.ran_on,
        "detections": found.detections.height,
        "foreign": dict(found.foreign),
        "check": None if found.check is None else found.check.to_dicts(),
        "files": [str(file) for file in files],
        "audit": None if config is None else str(config),
    }
