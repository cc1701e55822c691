"""`weakspot attributes`: list the shipped attribute files, check one, try one on a folder."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.zero_shot.compare_prompts import compare_prompts
from flows.commands.zero_shot.encoder_name import DEFAULT_MODEL, name_encoder
from pipeline.exceptions import ConfigError

if TYPE_CHECKING:  # imported where they are used: `weakspot --help` waits for nothing
    from pipeline.config.audit import EncoderConfig
    from pipeline.embeddings.card import Encoder
    from pipeline.labels.attribute_file import Attribute

LoadEncoder = Callable[["EncoderConfig"], "Encoder"]

AttributeFiles = Annotated[
    list[Path], typer.Argument(help="Attribute files.", metavar="FILE...", exists=True)
]
Reference = Annotated[
    str, typer.Argument(help="An attribute file, or a shipped name such as person/hat.")
]
ImagesFolder = Annotated[
    Path, typer.Argument(metavar="IMAGES_FOLDER", exists=True, file_okay=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Model = Annotated[str, typer.Option(help="open_clip name, local-dir:PATH or hf-hub:ORG/NAME.")]
Pretrained = Annotated[
    str | None, typer.Option(help="Weights of an open_clip name; of ViT-B-32 laion2b_s34b_b79k.")
]
Out = Annotated[Path, typer.Option(help="The page to write.", dir_okay=False)]
Limit = Annotated[int, typer.Option(min=1, help="Take only the first N images.")]


def make_app(load: LoadEncoder | None = None) -> typer.Typer:
    """Make the commands. load: makes the encoder of `preview`; open_clip's when None."""
    made = typer.Typer(
        name="attributes",
        help="List, check and try attribute files.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    made.command("list")(list_attributes)
    made.command("check")(check_attributes)
    made.command("compare")(compare_prompts)

    @made.command("preview")
    def preview(
        file: Reference,
        images: ImagesFolder,
        *,
        encoder: Model = DEFAULT_MODEL,
        pretrained: Pretrained = None,
        out: Out = Path("preview.html"),
        limit: Limit = 500,
    ) -> None:
        """Label a folder of images with one attribute file and write a page of the result."""
        _preview(file, images, name_encoder(encoder, pretrained), out=out, limit=limit, load=load)

    return made


def list_attributes(*, json_output: Json = False) -> None:
    """List the attribute files that come with weakspot."""
    from pipeline.labels.attribute_file import find_shipped, list_shipped, read_attribute

    found = [(name, read_attribute(find_shipped(name))) for name in list_shipped()]
    if json_output:
        rows = [_describe(name, attribute) for name, attribute in found]
        typer.echo(json.dumps({"attributes": rows}, ensure_ascii=False))
        return
    wide = max(len(name) for name, _ in found)
    for name, attribute in found:
        line = f"{name:{wide}}  {attribute.kind:8}  {attribute.applies_to:6}"
        sensitive = "  (perceived, sensitive)" if attribute.sensitive else ""
        typer.echo(f"{line}  {', '.join(_list_values(attribute))}{sensitive}")


def check_attributes(files: AttributeFiles, *, json_output: Json = False) -> None:
    """List every fault of attribute files with its line; warnings alone do not fail."""
    found = {str(path): _check(path) for path in files}
    failed = any(not _is_warning(problem) for problems in found.values() for problem in problems)
    if json_output:
        rows = [
            {"file": name, "ok": all(map(_is_warning, problems)), "problems": problems}
            for name, problems in found.items()
        ]
        typer.echo(json.dumps({"files": rows}, ensure_ascii=False))
    else:
        for name, problems in found.items():
            typer.echo("\n".join([f"{name}: {problem}" for problem in problems] or [f"{name}: ok"]))
    if failed:
        raise typer.Exit(1)


def _check(path: Path) -> list[str]:
    from pipeline.labels.attribute_file import check_attribute

    try:
        return check_attribute(path)
    except ConfigError as error:  # not TOML: the other files are still checked
        return [str(error).removeprefix(f"{path}: ")]


def _is_warning(problem: str) -> bool:
    return re.match(r"(line \d+: )?warning: ", problem) is not None


def _describe(name: str, attribute: "Attribute") -> dict[str, object]:
    return {
        "name": name,
        "attribute": attribute.name,
        "kind": attribute.kind,
        "applies_to": attribute.applies_to,
        "sensitive": attribute.sensitive,
        "values": _list_values(attribute),
    }


def _list_values(attribute: "Attribute") -> list[str]:
    """Return the values in order; of quantiles, which data decides, how many there are."""
    from pipeline.labels.measured import list_bins, resolve_edges

    if attribute.kind != "measured":
        return list(attribute.values)
    if attribute.edges is None:
        return [f"{attribute.quantiles} quantiles of {attribute.measure}"]
    import polars as pl

    return list_bins(attribute, resolve_edges(attribute, pl.Series([], dtype=pl.Float64)))


def _preview(
    reference: str,
    images: Path,
    encoder: "EncoderConfig",
    *,
    out: Path,
    limit: int,
    load: LoadEncoder | None,
) -> None:
    from flows.commands.preview import preview_attribute
    from flows.run.loaded_models import load_open_clip
    from pipeline.files.whole_files import write_text
    from pipeline.labels.attribute_file import find_shipped, read_attribute
    from reports.pages.preview_page import build_preview

    path = Path(reference) if reference.endswith(".toml") else find_shipped(reference)
    attribute = read_attribute(path, reference=reference)

    def get_encoder() -> "Encoder":
        return (load or load_open_clip)(encoder)

    preview = preview_attribute(attribute, images, get_encoder, limit=limit)
    write_text(build_preview(preview), out)
    for value, count in preview.counts.items():
        typer.echo(f"{value}: {count}")
    if count := preview.rejects.height:
        files = "1 file" if count == 1 else f"{count:,} files"
        typer.echo(f"{files} could not be used; the page says why", err=True)
    typer.echo(f"wrote {out}")


app = make_app()
