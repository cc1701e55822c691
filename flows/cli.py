"""The `weakspot` command. Only `run` and the stages start Prefect; nothing heavy is imported here."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.exceptions import WeakspotError

app = typer.Typer(
    name="weakspot",
    help="Find the groups and situations in which a vision model fails.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AuditFile = Annotated[Path, typer.Argument(help="The audit.toml to run.", metavar="AUDIT.toml")]
Limit = Annotated[int | None, typer.Option(min=1, help="Take only the first N samples.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback(invoke_without_command=True)
def weakspot(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Find the groups and situations in which a vision model fails."""
    if version:
        from importlib.metadata import version as installed_version

        typer.echo(f"weakspot {installed_version('weakspot')}")
        raise typer.Exit


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
) -> None:
    """Write a commented audit.toml and an example attribute file into a new folder."""
    from flows.scaffold import write_scaffold

    for path in write_scaffold(folder):
        typer.echo(f"wrote {path}")
    typer.echo(f"Edit {folder / 'audit.toml'}, then: weakspot run {folder / 'audit.toml'}")


@app.command()
def run(
    audit: AuditFile,
    *,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything; tell counts, time and disk.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Run a whole audit: from images to a report."""
    if dry_run:
        from flows.dry_run import check_audit

        _print_plan(check_audit(audit, limit=limit), json_output=json_output)
        return
    _run_stages(audit, until="report", limit=limit, json_output=json_output)


def _stage(name: str, text: str) -> None:
    """Register the command of one stage."""

    def command(audit: AuditFile, *, limit: Limit = None, json_output: Json = False) -> None:
        _run_stages(audit, only=name, limit=limit, json_output=json_output)

    command.__doc__ = text
    app.command(name)(command)


_stage("embed", "Embed and measure the samples that are not yet.")
_stage("label", "Label the samples that have no label of an attribute yet.")
_stage("score", "Turn the systems' outputs into errors.")
_stage("find", "Search the labelled samples for weak slices.")
_stage("report", "Write the report of what was last found.")
