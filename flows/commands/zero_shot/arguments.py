"""Arguments that the commands of zero-shot classification share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.zero_shot.encoder_name import DEFAULT_MODEL, name_encoder

if TYPE_CHECKING:
    from pipeline.config.audit import EncoderConfig

Source = Annotated[
    Path, typer.Argument(help="A folder of images, or an audit.toml.", metavar="IMAGES|AUDIT.toml")
]
Classes = Annotated[
    Path,
    typer.Option(help="Names one a line, TOML, or JSON of CLIP_benchmark or CuPL.", dir_okay=False),
]
DatasetName = Annotated[
    str | None, typer.Option("--dataset", help="Which dataset of CLIP_benchmark's JSON.")
]
ModelName = Annotated[
    str | None, typer.Option("--encoder", help=f"Of a folder; {DEFAULT_MODEL} without it.")
]
Weights = Annotated[str | None, typer.Option("--pretrained", help="Weights of an open_clip name.")]
Truth = Annotated[
    str | None,
    typer.Option(help="Of a folder: a table with path and category; of an audit: a column."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="So many images, spread over all.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

AsSystem = Annotated[
    str | None, typer.Option(metavar="NAME", help="Write AUDIT-NAME.toml, which audits the result.")
]
RunIt = Annotated[
    bool, typer.Option("--run", help="With --as-system: run that audit to its report.")
]
NoPrefect = Annotated[bool, typer.Option("--no-prefect", help="With --run: without its server.")]


def choose_encoder(
    source: Path, encoder: str | None, pretrained: str | None
) -> "EncoderConfig | None":
    """Return the encoder of a folder; None for an audit without options, which has its own."""
    if source.is_dir() or encoder is not None or pretrained is not None:
        return name_encoder(encoder or DEFAULT_MODEL, pretrained)
    return None
