"""`weakspot run`: a whole audit, and what all commands that run stages share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from flows.run.summary import Summary

AuditFile = Annotated[Path, typer.Argument(help="The audit.toml to run.", metavar="AUDIT.toml")]
Limit = Annotated[int | None, typer.Option(min=1, help="Take only the first N samples.")]
NoPrefect = Annotated[
    bool, typer.Option("--no-prefect", help="Run without Prefect and its server: starts sooner.")
]
JudgeLimited = Annotated[
    bool, typer.Option("--judge-limited", help="Let the gates judge also what --limit takes.")
]
Rehash = Annotated[
    bool, typer.Option("--rehash", help="Open also the images and weights that seem unchanged.")
]
Again = Annotated[
    bool, typer.Option("--again", help="Search, compare and report also where nothing changed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class RunOptions(NamedTuple):
    """How a run was asked for."""

    limit: int | None
    no_prefect: bool
    json_output: bool
    judge_limited: bool = False
    rehash: bool = False
    again: bool = False
    single_file: bool = False


def run_stages(audit: Path, stages: tuple[str, ...], options: RunOptions) -> None:
    """Run stages of an audit and print what came of it; raises GatesFailedError after printing."""
    from flows.run.start import start_run
    from flows.run.summary import GatesFailedError

    try:
        summary = start_run(
            audit,
            stages=stages,
            limit=options.limit,
            judge_limited=options.judge_limited,
            rehash=options.rehash,
            again=options.again,
            single_file=options.single_file,
            with_prefect=not options.no_prefect,
        )
        _show(summary, json_output=options.json_output)
    except GatesFailedError as failed:
        _show(failed.summary, json_output=options.json_output)
        raise


def _show(summary: "Summary", *, json_output: bool) -> None:
    if json_output:
        typer.echo(summary.to_json())
    else:
        from flows.commands.console import open_console, print_summary

        print_summary(summary, open_console())


def run(
    audit: AuditFile,
    *,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything; print counts, time and disk.")
    ] = False,
    judge_limited: JudgeLimited = False,
    rehash: Rehash = False,
    again: Again = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Run a whole audit: from images to a report."""
    if dry_run:
        from flows.commands.dry_run import check_audit

        plan = check_audit(audit, limit=limit)
        typer.echo(plan.to_json() if json_output else plan.to_text())
    else:
        from flows.run.stages import STAGES

        options = RunOptions(limit, no_prefect, json_output, judge_limited, rehash, again)
        run_stages(audit, STAGES, options)
