"""`weakspot check-labels`: a person says of labels whether they are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from flows.checks.answer_files import Imported
    from flows.checks.session import CheckSession, DrawOptions
    from flows.run.resolved_audit import ResolvedAudit
    from pipeline.workspace.store import Store


def check_labels(
    audit: Annotated[
        Path, typer.Argument(help="The audit.toml whose labels to check.", metavar="AUDIT.toml")
    ],
    *,
    import_file: Annotated[
        Path | None,
        typer.Option(
            "--import",
            help="Answers made elsewhere: path or sample_id, attribute, value or answer.",
            metavar="FILE.csv|.parquet|.json",
        ),
    ] = None,
    export_file: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write what is to be checked, to be filled in and imported.",
            metavar="FILE.csv|.parquet|.json",
        ),
    ] = None,
    static: Annotated[
        Path | None,
        typer.Option(
            "--static",
            help="Write the page as one file that needs no server, to be sent to someone.",
            metavar="FOLDER",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the page (default: any that is free)."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser of this machine.")
    ] = False,
    checker: Annotated[
        str | None,
        typer.Option(
            help="Who checks: a name kept with each answer (default on the page: the user's).",
            metavar="NAME",
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many checks, divided where they narrow findings most (default 300)."
        ),
    ] = None,
    per_value: Annotated[
        int | None,
        typer.Option(
            min=1, help="So many checks of every value instead, those there are included."
        ),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="Check this attribute; may be repeated.", metavar="NAME"),
    ] = None,
    finding: Annotated[
        int | None,
        typer.Option(min=1, help="Check what finding N of the latest run rests on.", metavar="N"),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Whose finding, where there are several.", metavar="NAME")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Check what others checked, to measure how far you agree."),
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Of the random order; fixed by the first draw (default 0).")
    ] = None,
    skip_faulty: Annotated[
        bool, typer.Option("--skip-faulty", help="Import the other rows where some are faulty.")
    ] = False,
) -> None:
    """Check labels on a local page, or by files: a sheet to fill in, answers to import."""
    from flows.checks.session import BUDGET, DrawOptions
    from pipeline.exceptions import ConfigError

    if budget is not None and per_value is not None:
        raise ConfigError("--budget and --per-value: give one of them")
    to_files = [one for one in (import_file, export_file, static) if one is not None]
    if to_files and (open_browser or port is not None):
        raise ConfigError("--port and --open are for the page; leave --import and the like out")
    options = DrawOptions(
        budget=budget or BUDGET,
        per_value=per_value,
        attributes=tuple(attribute or ()),
        finding=finding,
        system=system,
        seed=seed,
        checker=checker or "",
        again=again,
    )
    if import_file is not None or export_file is not None:
        _exchange(audit, import_file, export_file, options, skip_faulty=skip_faulty)
    if static is not None or not to_files:
        from flows.api.serve_checks import prepare_page, serve_page, write_page

        page = prepare_page(audit, options, show=typer.echo)
        if static is not None:
            write_page(page, folder=static, show=typer.echo)
        else:
            if serve_page(page, port=port or 0, open_browser=open_browser, show=typer.echo):
                _offer_probe(page.resolved, page.store)


def _exchange(
    audit: Path,
    import_file: Path | None,
    export_file: Path | None,
    options: "DrawOptions",
    *,
    skip_faulty: bool,
) -> None:
    """Import answers, then write a sheet of what is still to be answered."""
    from flows.checks.answer_files import import_answers, write_sheet
    from flows.checks.session import ask_for_checks, open_session

    session = open_session(audit)
    for fault in session.journal.list_faults():
        typer.echo(f"note: {fault}", err=True)
    if import_file is not None:
        imported = import_answers(
            session, import_file, checker=options.checker or None, skip_faulty=skip_faulty
        )
        _print_import(imported)
        _print_checks(session)
        if imported.new + imported.replaced:
            _offer_probe(session.resolved, session.store)
    if export_file is not None:
        asked = ask_for_checks(session, options)
        write_sheet(session, asked.rows, export_file)
        _print_asked(asked.rows, asked.notes, export_file)


def _offer_probe(resolved: "ResolvedAudit", store: "Store") -> None:
    """Say whether a probe, trained on what is checked by now, would label better."""
    from flows.checks.probe_offer import propose_probe
    from pipeline.exceptions import WeakspotError
    from pipeline.workspace.kept.kept_checks import read_checks

    if read_checks(store.folder).is_empty():
        return
    typer.echo("comparing the labels with a probe trained on what is checked ...")
    try:
        offer = propose_probe(resolved, store)
    except WeakspotError as error:  # the answers are kept all the same
        typer.echo(f"note: whether a probe would label better is not known: {error}", err=True)
        return
    if offer is not None:
        typer.echo(offer)


def _print_import(imported: "Imported") -> None:
    parts = [f"{imported.new:,} new"]
    for count, words in (
        (imported.replaced, "replace earlier ones"),
        (imported.unchanged, "known already"),
    ):
        parts += [f"{count:,} {words}"] if count else []
    typer.echo(f"imported answers: {', '.join(parts)}")
    for count, words in (
        (imported.repeated, "rows replaced by a later row of the same sample and attribute"),
        (imported.unanswered, "rows without an answer yet"),
        (imported.faulty, "faulty rows left out"),
    ):
        if count:
            typer.echo(f"note: {words}: {count:,}", err=True)
    for problem in imported.problems:
        typer.echo(f"  - {problem}", err=True)


def _print_checks(session: "CheckSession") -> None:
    """Print how much is checked by now, and how far checkers agree."""
    from pipeline.checks.checkers import measure_checkers
    from pipeline.workspace.known_truth import find_unusable

    checks = session.journal.read()
    counts = checks.group_by("attribute", "checker").len().sort("attribute", "checker")
    for (name,), own in counts.group_by("attribute", maintain_order=True):
        by = ", ".join(f"{n:,} by {checker}" for _, checker, n in own.iter_rows())
        typer.echo(f"{name}: {by}")
    for row in measure_checkers(checks).iter_rows(named=True):
        pair = f"{row['attribute']}: {row['checker']} and {row['other']} on {row['n']:,}"
        kappa = "" if row["kappa"] is None else f", kappa {row['kappa']:.2f}"
        share = f"{row['agreement']:.0%} the same{kappa}" if row["n"] else "nothing to compare"
        left = f"; {row['undecided']:,} undecided" if row["undecided"] else ""
        typer.echo(f"{pair}: {share}{left}")
    for name, label, n in find_unusable(checks, session.labels).iter_rows():
        typer.echo(
            f"note: {name} = {label}: answers that say just wrong: {n:,}, and none says what is "
            "true instead; no check of this label is used until one does",
            err=True,
        )


def _print_asked(rows: "pl.DataFrame", notes: tuple[str, ...], file: Path) -> None:
    typer.echo(f"wrote {rows.height:,} labels to check to {file}")
    for attribute, shown, n in (
        rows.group_by("attribute", "shown").len().sort("attribute", "shown").iter_rows()
    ):
        typer.echo(f"  {attribute} = {shown}: {n:,}")
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    if rows.is_empty():
        typer.echo("note: everything that was asked for is checked already", err=True)
