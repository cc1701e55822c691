"""`weakspot similarity`: cosines within and between classes, of images and captions."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from flows.stages.ranking.similarity import CaptionComparison, ClassComparison


def similarity(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    classes: Annotated[
        str | None,
        typer.Option(help="An attribute or a column: by true values, else as labelled."),
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="By labels, also where true values are known.")
    ] = False,
    captions: Annotated[
        Path | None,
        typer.Option(help="FILE.csv, FILE.parquet or COCO's JSON: captions of images."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="FILE.csv or FILE.parquet: one row a class.", dir_okay=False)
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="FILE.svg; without it similarity.svg in the folder of the report."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Compare similarity within classes and between them, and of images and captions."""
    from flows.commands.exports.table_file import FLAT, check_target, write_table
    from flows.commands.ranking.similarity_views import list_class_views, list_spread_views
    from flows.retrieval.search_session import keep_access
    from flows.run.loaded_models import load_open_clip
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.ranking.similarity import SimilarityOptions, compare_similarity
    from pipeline.files.whole_files import write_text
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store
    from reports.parts.similarity_chart import draw_similarity

    if classes is None and captions is None:
        raise ConfigError("name --classes, --captions or both: there is nothing to compare")
    if out is not None:
        check_target(out, suffixes=FLAT, option="--out")
        if classes is None:
            raise ConfigError("--out: it has one row a class; name --classes")
    if picture is not None:
        check_target(picture, suffixes=(".svg",), option="--picture")
    resolved = resolve_audit(audit)
    store = find_store(resolved.audit.workspace)
    options = SimilarityOptions(classes, captions, by_labels=labels, seed=seed)
    with keep_access(store.folder), lock_workspace(store.folder):
        by_class, captioned = compare_similarity(
            store, resolved.audit, options, load=load_open_clip
        )
    place = picture or resolved.audit.report.folder / "similarity.svg"
    drawn = draw_similarity(list_spread_views(by_class, captioned), list_class_views(by_class))
    write_text(drawn, place)
    if out is not None and by_class is not None:
        write_table(by_class.table, out)
    if json_output:
        typer.echo(json.dumps(_to_content(by_class, captioned, place), ensure_ascii=False))
        return
    _print(by_class, captioned)
    typer.echo(f"picture: {place}")


def _print(by_class: "ClassComparison | None", captioned: "CaptionComparison | None") -> None:
    from flows.commands.console import open_console
    from flows.commands.ranking.similarity_tables import print_captions, print_classes

    console = open_console()
    if by_class is not None:
        print_classes(by_class, console)
    if captioned is not None:
        print_captions(captioned, console)


def _to_content(
    by_class: "ClassComparison | None", captioned: "CaptionComparison | None", picture: Path
) -> dict[str, Any]:
    from flows.commands.ranking.similarity_views import describe_spread, list_means, to_row

    content: dict[str, Any] = {"picture": str(picture), "classes": None, "captions": None}
    if by_class is not None:
        content["classes"] = {
            "name": by_class.classes.values.name,
            "source": by_class.classes.source,
            "left_out": by_class.left_out,
            "means": by_class.table.to_dicts(),
            "pairs": describe_spread(by_class.spread),
        }
    if captioned is not None:
        found = captioned.found
        content["captions"] = {
            "images": captioned.images,
            "captions": captioned.captions,
            "means": {name: to_row(pairs) for name, pairs in list_means(found).items()},
            "image_caption": describe_spread(found.image_caption),
            "caption_caption": describe_spread(found.caption_caption),
        }
    return content
