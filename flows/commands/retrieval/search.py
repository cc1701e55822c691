"""`weakspot search`: the samples that fit words and pictures best, and where the hits end."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.retrieval.search_options import (
    Asked,
    ErrorName,
    check_options,
    clean_texts,
    describe_query,
    read_box,
)
from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from flows.retrieval.encode_query import QueryEncoder
    from flows.retrieval.find_hits import Found
    from flows.retrieval.search_session import SearchSession
    from pipeline.retrieval.query import Query


def search(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    text: Annotated[
        list[str] | None, typer.Argument(help="What to search for; several texts are averaged.")
    ] = None,
    *,
    without: Annotated[
        list[str] | None, typer.Option("--not", help="What it shall not be; is subtracted.")
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="An image file, or a sample by its id, path or file name."),
    ] = None,
    box: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="The part of --image that counts.")
    ] = None,
    inside: Annotated[
        str | None,
        typer.Option(
            "--in", metavar="SLICE", help='Search in "hat = yes and weather = fog" alone.'
        ),
    ] = None,
    finding: Annotated[
        int | None, typer.Option(min=1, help="Search in the finding of this rank alone.")
    ] = None,
    errors: Annotated[
        ErrorName | None,
        typer.Option(help="Search where the system's error is above its mean, or zero."),
    ] = None,
    system: Annotated[str | None, typer.Option(help="The system, where there are several.")] = None,
    texts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Turned round: which of these captions fit --image."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many results.")] = 20,
    unlike: Annotated[bool, typer.Option("--unlike", help="The least similar ones.")] = False,
    diverse: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Least 1 - cosine between any two results."),
    ] = None,
    whole_images: Annotated[
        bool, typer.Option("--whole-images", help="Search images, not the objects in them.")
    ] = False,
    parts: Annotated[
        bool, typer.Option("--parts", help="Search the windows of images that `detect` embedded.")
    ] = False,
    encoder: Annotated[
        str | None, typer.Option(help="How the encoder_id begins, where there are several.")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Read the vectors as int8: half the memory, same hits.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write FILE.csv, FILE.parquet or FILE.html (pictures).")
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the query as an attribute.")
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Find the samples that fit words or pictures, and say where the hits end."""
    asked = Asked(
        texts=clean_texts(text),
        without=clean_texts(without),
        images=tuple(image or ()),
        box=None if box is None else read_box(box),
        inside=inside,
        finding=finding,
        errors=errors,
        system=system,
        top=top,
        unlike=unlike,
        diverse=diverse,
        int8=int8,
        out=out,
        save=save,
        json_output=json_output,
    )
    check_options(asked, captions=texts, parts=parts, whole_images=whole_images)
    from flows.retrieval.encode_query import QueryEncoder  # polars loads for a while
    from flows.retrieval.search_session import keep_access, open_search

    with keep_access(workspace):
        session = (
            _open_parts(workspace, encoder)
            if parts
            else open_search(workspace, encoder=encoder, whole_images=whole_images)
        )
        for note in session.notes:
            typer.echo(f"note: {note}", err=True)
        if texts is None:
            _search(session, QueryEncoder(session), asked)
        else:
            _rank_captions(session, QueryEncoder(session), asked, texts)


def _open_parts(workspace: Path, encoder: str | None) -> "SearchSession":
    from flows.retrieval.search_parts import open_parts

    return open_parts(workspace, encoder=encoder)


def _search(session: "SearchSession", encoder: "QueryEncoder", asked: Asked) -> None:
    from flows.retrieval.find_hits import find_hits
    from flows.retrieval.hit_words import to_json
    from flows.retrieval.restriction import read_errors
    from flows.retrieval.save_query import check_name, save_ids, save_prompts
    from flows.retrieval.scan_codes import open_codes
    from flows.retrieval.write_hits import check_target, write_hits

    folder = None if asked.save is None else check_name(asked.save, session.store.folder)
    if asked.out is not None:
        check_target(asked.out)
    errors = {} if session.of_parts else read_errors(session, asked.system)
    samples = _restrict(session, asked, errors)
    query = _make_query(session, encoder, asked)
    found = find_hits(
        session, encoder, query, samples,
        texts=asked.texts, top=asked.top, unlike=asked.unlike, diverse=asked.diverse,
        codes=open_codes(session.scan) if asked.int8 else None, errors=errors,
    )  # fmt: skip
    if asked.json_output:
        typer.echo(
            json.dumps(to_json(found, session, query=describe_query(asked)), ensure_ascii=False)
        )
    else:
        _print(found, session, asked)
    lines = []
    if asked.out is not None:
        write_hits(found, session, asked.out, words=asked.words)
        lines.append(f"wrote {found.table.height:,} results to {asked.out}")
    if folder is not None and asked.save is not None:
        if query.kind == "text":
            lines += save_prompts(
                asked.save, folder, asked.texts, asked.without, session, encoder, found
            )
        else:
            lines += save_ids(asked.save, folder, session, found)
    for line in lines:
        typer.echo(line, err=asked.json_output)


def _restrict(
    session: "SearchSession", asked: Asked, errors: "dict[str, pl.DataFrame]"
) -> "pl.DataFrame":
    """Return the samples to search; raises ConfigError when none is left."""
    from flows.retrieval.restriction import (
        parse_predicates,
        select_by_error,
        select_finding,
        select_slice,
    )

    samples = session.samples
    if asked.inside is not None:
        samples = select_slice(session, parse_predicates(asked.inside))
    if asked.finding is not None:
        own, predicates = select_finding(session, asked.finding, system=asked.system)
        samples = samples.join(own, on="sample_id", how="semi", maintain_order="left")
        if not asked.json_output:
            said = " and ".join(f"{one['attribute']} = {one['value']}" for one in predicates)
            typer.echo(f"in finding {asked.finding}: {said}")
    if asked.errors is not None:
        above = asked.errors is ErrorName.above
        samples = select_by_error(samples, errors, above=above, system=asked.system)
    if samples.is_empty():
        raise ConfigError("no sample is left to search; ask for less with --in and --errors")
    return samples


def _make_query(session: "SearchSession", encoder: "QueryEncoder", asked: Asked) -> "Query":
    from flows.retrieval.find_hits import stack
    from pipeline.retrieval.query import make_query

    images = [encoder.encode_image(name, box=asked.box) for name in asked.images]
    return make_query(
        encoder.encode_texts(asked.texts),
        stack(images, session.card.dim),
        encoder.encode_texts(asked.without),
    )


def _rank_captions(
    session: "SearchSession", encoder: "QueryEncoder", asked: Asked, file: Path
) -> None:
    """Print which captions of a file fit the image best, with "none of these" among them."""
    from flows.retrieval.encode_query import read_texts
    from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
    from pipeline.retrieval.query import fit_captions

    captions = read_texts(file)
    image = encoder.encode_image(asked.images[0], box=asked.box)
    fits = fit_captions(
        image,
        captions,
        encoder.encode_texts(captions, keep=False),
        none="none of these",
        none_vectors=encoder.encode_texts(NEUTRAL_TEXTS),
        logit_scale=session.card.logit_scale,
    )
    shown = fits[: asked.top]
    if asked.json_output:
        rows = [{"text": f.text, "cosine": f.cosine, "probability": f.probability} for f in shown]
        answer = {"image": asked.images[0], "encoder_id": session.card.encoder_id, "texts": rows}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo("probability  cosine  text")
    for fit in shown:
        typer.echo(f"{fit.probability:>11.1%}  {fit.cosine:>6.3f}  {fit.text}")
    typer.echo("none of these: the best fit of words about nothing in particular")


def _print(found: "Found", session: "SearchSession", asked: Asked) -> None:
    from flows.retrieval.hit_words import describe_end, list_facts

    whole = session.samples.height
    of = "" if found.searched == whole else f" of {whole:,}"
    typer.echo(f"{asked.words}: searched {found.searched:,}{of} samples of {session.root}")
    systems = [name for name in found.table.columns if name.startswith("error.")]
    against = "neutral" if found.query.kind == "text" else "others"
    heads = ["rank", "score", against, "hit", *(name.removeprefix("error.") for name in systems)]
    widths = [max(len(head), 7) for head in heads]
    cells = [f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)]
    typer.echo("  ".join([*cells, "sample"]))
    for row in found.table.iter_rows(named=True):
        numbers = [
            f"{row['rank']:,}",
            f"{row['score']:.3f}",
            f"{row['neutral']:.0%}",
            "" if row["probability"] is None else f"{row['probability']:.0%}",
            *("" if row[name] is None else f"{row[name]:.3g}" for name in systems),
        ]
        cells = [f"{cell:>{width}}" for cell, width in zip(numbers, widths, strict=True)]
        box = "" if row["x"] is None else f" at {row['x']:.0f},{row['y']:.0f}"
        typer.echo("  ".join([*cells, f"{row['path']}{box}"]))
    if not asked.unlike:
        typer.echo(describe_end(found))
    for fact in list_facts(found, ended=False):
        typer.echo(fact)
