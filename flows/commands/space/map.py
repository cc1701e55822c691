"""`weakspot map`: the embedding space of an audit as a page of its own."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class MapMethod(StrEnum):
    """How samples are spread out."""

    tsne = "tsne"
    umap = "umap"
    pca = "pca"


def map_samples(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    method: Annotated[MapMethod, typer.Option(help="How to spread samples out.")] = MapMethod.tsne,
    landmarks: Annotated[
        int, typer.Option(min=100, help="Samples that are spread out; others are placed.")
    ] = 25_000,
    seed: Annotated[int, typer.Option(min=0, help="Of t-SNE and UMAP.")] = 0,
    color: Annotated[
        str | None, typer.Option(help="error, a system, an attribute or cluster.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page to write; map.html in the folder of the report.", dir_okay=False
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make the map anew: positions change.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Draw a map of the samples, with errors, findings and clusters; the report shows it too."""
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.mapping.page_points import gather_page, list_colors
    from flows.stages.space.map import make_map
    from pipeline.exceptions import ConfigError
    from pipeline.files.toml_file import nearest
    from pipeline.maps.positions import MapSettings
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store
    from reports.pages.map_page import build_map_page

    resolved = resolve_audit(audit)
    target = out or resolved.audit.report.folder / "map.html"
    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"{out}: there is no folder {out.absolute().parent}; make it first")
    store = find_store(resolved.audit.workspace)
    with lock_workspace(resolved.audit.workspace):
        settings = MapSettings(method.value, landmarks, seed)
        mapped = make_map(resolved, store, settings, again=again)
        colors = list_colors(mapped.rows)
        if color is not None and color != "error" and color not in colors:
            raise ConfigError(
                f"--color {color}: no such attribute or system; {nearest(color, colors)}"
            )
        page = gather_page(resolved, store, mapped, color=color)
    _write(build_map_page(page), target)
    done = {
        "page": str(target),
        "samples": mapped.samples.height,
        "landmarks": mapped.landmarks,
        "placed": mapped.placed,
        "made": mapped.made,
        "missing": mapped.missing,
        "shown": page.shown,
    }
    if json_output:
        typer.echo(json.dumps(done))
        return
    how = f"made from {mapped.landmarks:,} landmarks" if mapped.made else "there already"
    typer.echo(f"map of {mapped.samples.height:,} samples, {how}; {mapped.placed:,} newly placed")
    if mapped.missing:
        typer.echo(f"{mapped.missing:,} samples have no vector and are not on it")
    typer.echo(f"wrote {target}; `weakspot report {audit}` shows the map in the report")


def _write(page: str, target: Path) -> None:
    from pipeline.exceptions import ConfigError
    from pipeline.files.whole_files import write_text

    try:
        write_text(page, target)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}") from None
