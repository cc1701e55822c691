"""`weakspot export`, `convert` and `texts`: a workspace or a dataset as files and lines."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_SHOWN = 10  # rejects that are printed


class AnnotationFormat(StrEnum):
    """The formats that can be written."""

    coco = "coco"
    yolo = "yolo"
    voc = "voc"


def export(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    table: Annotated[str, typer.Argument(help="samples, labels, errors, findings, slices, ...")],
    file: Annotated[
        Path, typer.Argument(help="FILE.parquet, FILE.csv or FILE.json; a folder for `fiftyone`")
    ],
    *,
    all_runs: Annotated[
        bool, typer.Option("--all-runs", help="Also of earlier runs, attributes and systems.")
    ] = False,
    current: Annotated[
        bool,
        typer.Option(
            "--current", help="Of vectors, measurements and runs too only what is used now."
        ),
    ] = False,
) -> None:
    """Write a table of a workspace to a file; `wide` has one row a sample with all of it.

    `fiftyone` writes samples, labels, errors and findings as a folder that FiftyOne opens.
    """
    if table == "fiftyone":
        from flows.commands.exports.fiftyone_folder import export_fiftyone
        from pipeline.workspace.store import find_store

        typer.echo(f"wrote {export_fiftyone(find_store(workspace), file):,} images to {file}")
        return
    from flows.commands.exports.export import export_table

    exported = export_table(workspace, table, file, all_runs=all_runs, current=current)
    typer.echo(f"wrote {exported.rows:,} rows of {table} to {file}")
    for note in exported.notes:
        typer.echo(f"note: {note}", err=True)


def convert(
    audit: Annotated[
        Path,
        typer.Argument(
            help="An audit.toml, of which [dataset] alone is read.", metavar="AUDIT.toml"
        ),
    ],
    out: Annotated[Path, typer.Argument(help="A new file (coco) or folder (yolo, voc).")],
    *,
    to: Annotated[AnnotationFormat, typer.Option("--format", help="What to write.")],
) -> None:
    """Write the dataset's boxes as COCO, YOLO or Pascal VOC."""
    from flows.commands.convert_boxes import convert_dataset

    converted = convert_dataset(audit, out, to=to.value)
    written = converted.written
    typer.echo(f"wrote {written.objects:,} objects of {written.images:,} images to {out}")
    for reason, count in written.left_out.items():
        if count:
            typer.echo(f"left out: {count:,} objects ({reason.replace('_', ' ')})")
    for path, reason in converted.rejects.select("path", "reason").head(_SHOWN).iter_rows():
        typer.echo(f"rejected: {path}: {reason}")
    if converted.rejects.height > _SHOWN:
        typer.echo(f"rejected: {converted.rejects.height - _SHOWN:,} more")
    for note in converted.notes:
        typer.echo(f"note: {note}")
    if converted.size_differs:
        typer.echo(f"check: {converted.size_differs:,} images are not of the size that was stated")


def texts(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    words: Annotated[
        list[str], typer.Argument(help="Words that an image holds, in any of its lines.")
    ],
) -> None:
    """List the images whose text holds all the words; upper and lower case are the same."""
    from pipeline.texts.text_lines import search_texts
    from pipeline.workspace.kept.kept_texts import read_kept_texts
    from pipeline.workspace.store import find_store

    store = find_store(workspace)
    lines, _ = read_kept_texts(store)
    found = search_texts(lines, store.read_samples(), words)
    for path, text, _score in found.iter_rows():
        typer.echo(f"{path}\t{text}")
    images = found["path"].n_unique()
    held = f"{images:,} {'image holds' if images == 1 else 'images hold'} {' and '.join(words)}"
    typer.echo(f"{held}; lines with one of these words: {found.height:,}", err=True)
