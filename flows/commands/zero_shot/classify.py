"""`weakspot classify`: zero-shot classification by names and descriptions of classes."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.zero_shot.arguments import (
    AsSystem,
    Classes,
    DatasetName,
    Json,
    Limit,
    ModelName,
    NoPrefect,
    RunIt,
    Source,
    Truth,
    Weights,
    choose_encoder,
)
from flows.commands.zero_shot.system_audit import (
    check_system_name,
    name_beside,
    run_whole,
    write_audit_with,
)
from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from flows.stages.zero_shot.classify import Classification
    from pipeline.zero_shot.class_texts import ClassTexts, PromptLine


class ExportForm(StrEnum):
    """The JSON forms of classes."""

    cupl = "cupl"
    clip_benchmark = "clip-benchmark"
    names = "names"
    templates = "templates"


def classify(
    source: Source,
    *,
    classes: Classes,
    templates: Annotated[
        Path | None,
        typer.Option(help="One a line with {}, or CLIP_benchmark's JSON.", dir_okay=False),
    ] = None,
    dataset: DatasetName = None,
    name_is: Annotated[
        list[str] | None,
        typer.Option(help='A set of descriptions to try as "NAME is DESCRIPTION". Repeatable.'),
    ] = None,
    top: Annotated[str, typer.Option(help="Places that count as right, of every line.")] = "1",
    line: Annotated[
        str | None, typer.Option(help="The line whose predictions are written; the first.")
    ] = None,
    encoder: ModelName = None,
    pretrained: Weights = None,
    truth: Truth = None,
    limit: Limit = None,
    out: Annotated[
        Path | None,
        typer.Option(help="FILE.csv or FILE.parquet: predictions for an audit.", dir_okay=False),
    ] = None,
    confusion: Annotated[
        Path | None, typer.Option(help="FILE.csv or FILE.parquet: true, predicted, n.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="FILE.json: the classes in the form of --form.")
    ] = None,
    form: Annotated[ExportForm, typer.Option(help="Of --export.")] = ExportForm.cupl,
    as_system: AsSystem = None,
    run: RunIt = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Classify images by words alone; accuracy where the true classes are known."""
    from flows.commands.zero_shot.classify_output import describe_result, print_result
    from flows.run.loaded_models import load_open_clip
    from flows.stages.zero_shot.classified_images import load_images
    from flows.stages.zero_shot.classify import check_top, classify_images
    from pipeline.files.whole_files import write_text
    from pipeline.zero_shot.class_texts import choose_line

    ks = parse_top(top)
    check_system_name(
        source, as_system, results=".csv" if out is None else None, run=run, json_output=json_output
    )
    if as_system is not None and out is None:
        out = name_beside(source, as_system, ".csv")
    _check_targets(out, confusion, export)
    texts, lines = read_class_lines(classes, templates, dataset=dataset, name_is=name_is or [])
    chosen = choose_line(lines, line)
    check_top(ks, lines[chosen].classes)
    if export is not None:
        write_text(_to_json(texts, lines[chosen], form, dataset, export), export)
    _read_samples(source, needed=as_system is not None)
    images = load_images(
        source, encoder=choose_encoder(source, encoder, pretrained), truth=truth, limit=limit,
        load=load_open_clip,
    )  # fmt: skip
    result = classify_images(images, lines, ks=ks, chosen=chosen)
    _write_tables(result, out, confusion)
    if json_output:
        typer.echo(json.dumps(describe_result(images, result, out), ensure_ascii=False))
        return
    print_result(images, result, out)
    if as_system is not None and out is not None:
        config = _write_audit(source, as_system, out)
        typer.echo(f"wrote {config}; weakspot run {config}")
        if run:
            run_whole(config, no_prefect=no_prefect)


def parse_top(text: str) -> tuple[int, ...]:
    """Turn "1,3,5" into numbers, sorted and each once; raises ConfigError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ConfigError(f"--top {text}: expected numbers from 1, such as 1,3,5")
    return tuple(sorted({int(part) for part in parts}))


def read_class_lines(
    classes: Path, templates: Path | None, *, dataset: str | None, name_is: list[str]
) -> "tuple[ClassTexts, list[PromptLine]]":
    """Return the classes of a file and their lines; raises ConfigError."""
    import dataclasses

    from pipeline.zero_shot.class_files import read_class_file, read_templates
    from pipeline.zero_shot.class_texts import make_lines

    texts = read_class_file(classes, dataset=dataset if classes.suffix == ".json" else None)
    if templates is not None:
        own = dataset if templates.suffix == ".json" else None
        texts = dataclasses.replace(texts, templates=tuple(read_templates(templates, dataset=own)))
    return texts, make_lines(texts, name_is=name_is)


def _check_targets(out: Path | None, confusion: Path | None, export: Path | None) -> None:
    from flows.commands.exports.table_file import FLAT, check_target

    for path, option in ((out, "--out"), (confusion, "--confusion")):
        if path is not None:
            check_target(path, suffixes=FLAT, option=option)
    if export is not None:
        check_target(export, suffixes=(".json",), option="--export")


def _write_tables(result: "Classification", out: Path | None, confusion: Path | None) -> None:
    from flows.commands.exports.table_file import write_table

    if out is not None:
        write_table(result.predictions, out)
    if confusion is not None:
        if result.confusions is None:
            raise ConfigError("--confusion: no true class is known; sub-folders or --truth give it")
        write_table(result.confusions, confusion)


def _read_samples(audit: Path, *, needed: bool) -> None:
    """Read and embed the samples of an audit that was never run, where its system is asked for."""
    from flows.run.resolved_audit import resolve_audit
    from flows.run.start import start_run

    if needed and not resolve_audit(audit).audit.workspace.exists():
        start_run(audit, stages=("embed",), with_prefect=False)


def _write_audit(audit: Path, name: str, out: Path) -> Path:
    return write_audit_with(audit, name, [out], kind="classification", error="not-top1")


def _to_json(
    texts: "ClassTexts", line: "PromptLine", form: ExportForm, dataset: str | None, file: Path
) -> str:
    from pipeline.zero_shot.class_files import write_class_json

    return write_class_json(texts, line, form=form.value, dataset=dataset, file=file)
