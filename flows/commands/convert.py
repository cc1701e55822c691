"""`weakspot convert AUDIT.toml OUT`: a dataset in another annotation format."""

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


def convert(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
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
    if converted.size_differs:
        typer.echo(f"check: {converted.size_differs:,} images are not of the size that was stated")
