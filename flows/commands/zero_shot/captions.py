"""`weakspot captions`: which of some captions fits each image, or none."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.zero_shot.arguments import (
    Json,
    Limit,
    ModelName,
    Source,
    Weights,
    choose_encoder,
)

SHOWN = 20  # images; --out has all


def captions(
    source: Source,
    *,
    candidates: Annotated[Path, typer.Option(help="Captions, one a line.", dir_okay=False)],
    encoder: ModelName = None,
    pretrained: Weights = None,
    limit: Limit = None,
    out: Annotated[
        Path | None,
        typer.Option(help="FILE.csv or FILE.parquet: one row an image.", dir_okay=False),
    ] = None,
    json_output: Json = False,
) -> None:
    """Choose a caption for each image, with the margin and "none of these"."""
    from flows.commands.exports.table_file import FLAT, check_target, write_table
    from flows.run.loaded_models import load_open_clip
    from flows.stages.zero_shot.choose_captions import choose_captions
    from flows.stages.zero_shot.classified_images import load_images
    from pipeline.zero_shot.class_files import read_lines

    if out is not None:
        check_target(out, suffixes=FLAT, option="--out")
    texts = read_lines(candidates, option="--candidates")
    images = load_images(
        source, encoder=choose_encoder(source, encoder, pretrained), limit=limit,
        load=load_open_clip,
    )  # fmt: skip
    chosen = choose_captions(images, texts)
    counts = dict(chosen.table["caption"].value_counts(sort=True).iter_rows())
    if out is not None:
        write_table(chosen.table, out)
    if json_output:
        content = {
            "counts": counts, "left_out": images.left_out, "long": chosen.long, "cut": chosen.cut,
            "images": chosen.table.to_dicts(),
        }  # fmt: skip
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    typer.echo("probability  margin  image: caption")
    for row in chosen.table.head(SHOWN).to_dicts():
        numbers = f"{row['probability']:>11.1%}  {row['margin']:>6.1%}"
        typer.echo(f"{numbers}  {row['path']}: {row['caption']}")
    if chosen.table.height > SHOWN:
        typer.echo(f"and {chosen.table.height - SHOWN:,} more images; --out FILE has all")
    for text, count in counts.items():
        typer.echo(f"{count:,} images: {text}")
    typer.echo("none of these: words about nothing in particular fit better than every caption")
    for count, what in ((images.left_out, "images could not be used"),
                        (chosen.long, "captions are longer than the encoder reads: averaged"),
                        (chosen.cut, "single words are longer still and were cut")):  # fmt: skip
        if count:
            typer.echo(f"{count:,} {what}")
