"""`weakspot check-labels`: a person says of labels whether they are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from flows.checks.answer_files import Imported
    from flows.checks.session import CheckSession

_SHOWN = 20  # problems of a file that are printed


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
    checker: Annotated[
        str | None, typer.Option(help="Who checks: a name kept with each answer.", metavar="NAME")
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
    """Check labels by hand: import answers, or write a sheet of what is to be answered."""
    from flows.checks.answer_files import import_answers, write_sheet
    from flows.checks.session import BUDGET, DrawOptions, ask_for_checks, open_session
    from pipeline.exceptions import ConfigError

    if budget is not None and per_value is not None:
        raise ConfigError("--budget and --per-value: give one of them")
    if import_file is None and export_file is None:
        raise ConfigError("name a file: --import FILE with answers, or --export FILE to be filled")
    session = open_session(audit)
    for fault in session.journal.list_faults():
        typer.echo(f"note: {fault}", err=True)
    if import_file is not None:
        imported = import_answers(session, import_file, checker=checker, skip_faulty=skip_faulty)
        _print_import(imported)
        _print_checks(session)
    if export_file is not None:
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
        asked = ask_for_checks(session, options)
        write_sheet(session, asked.rows, export_file)
        _print_asked(asked.rows, asked.notes, export_file)


def _print_import(imported: "Imported") -> None:
    parts = [f"{imported.new:,} new"]
    for count, words in (
        (imported.replaced, "replace earlier ones"),
        (imported.unchanged, "known already"),
    ):
        parts += [f"{count:,} {words}"] if count else []
    typer.echo(f"imported answers: {', '.join(parts)}")
    for count, words in (
        (imported.repeated, "rows were replaced by a later row of the same sample and attribute"),
        (imported.unanswered, "rows have no answer yet"),
        (imported.faulty, "faulty rows were left out:"),
    ):
        if count:
            typer.echo(f"note: {count:,} {words}", err=True)
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
            f"note: {name} = {label}: {n:,} answers say just wrong, and none what is true instead; "
            "no check of this label is used until one does",
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
