"""The `weakspot` command. Only `run` and the stages start Prefect; imports here are light."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from flows.commands.attributes import app as attributes_app
from flows.commands.check_labels import check_labels
from flows.commands.data import convert, export, texts
from flows.commands.demo import app as demo_app
from flows.commands.labels.label_quality import label_quality
from flows.commands.schedule import schedule
from flows.commands.slices import slices
from flows.commands.upkeep.prune import prune
from pipeline.exceptions import ConfigError, WeakspotError

if TYPE_CHECKING:
    from flows.run.summary import Summary

app = typer.Typer(
    name="weakspot",
    help="Find the groups and situations in which a vision model fails.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(attributes_app, name="attributes")
app.add_typer(demo_app, name="demo")

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
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class FormatName(StrEnum):
    """The formats of datasets."""

    coco = "coco"
    yolo = "yolo"
    voc = "voc"
    folder = "folder"
    table = "table"


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
    *,
    dataset_format: Annotated[
        FormatName, typer.Option("--format", help="How the dataset is laid out.")
    ] = FormatName.coco,
) -> None:
    """Write a commented audit.toml and an example attribute file into a new folder."""
    from flows.commands.init import write_scaffold

    for path in write_scaffold(folder, dataset_format=dataset_format.value):
        typer.echo(f"wrote {path}")
    typer.echo(f"Edit {folder / 'audit.toml'}, then: weakspot run {folder / 'audit.toml'}")


@app.command()
def run(
    audit: AuditFile,
    *,
    limit: Limit = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything; print counts, time and disk.")
    ] = False,
    judge_limited: JudgeLimited = False,
    rehash: Rehash = False,
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

        options = _RunOptions(limit, no_prefect, json_output, judge_limited, rehash)
        _run(audit, STAGES, options)


@app.command()
def embed(
    audit: AuditFile,
    *,
    limit: Limit = None,
    rehash: Rehash = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Embed and measure the samples that are not yet."""
    _run(audit, ("embed",), _RunOptions(limit, no_prefect, json_output, rehash=rehash))


@app.command()
def label(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Label the samples that have no label of an attribute yet."""
    _run(audit, ("label",), _RunOptions(limit, no_prefect, json_output))


@app.command()
def score(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Turn the systems' outputs into errors."""
    _run(audit, ("score",), _RunOptions(limit, no_prefect, json_output))


@app.command()
def find(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Search the labelled samples for weak slices."""
    _run(audit, ("find",), _RunOptions(limit, no_prefect, json_output))


@app.command()
def fairness(
    audit: AuditFile,
    *,
    limit: Limit = None,
    judge_limited: JudgeLimited = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Compare groups by sensitive attributes; exit with 3 if a gap fails the gates."""
    _run(audit, ("fairness",), _RunOptions(limit, no_prefect, json_output, judge_limited))


@app.command()
def report(
    audit: AuditFile,
    *,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write one page with everything, to send.")
    ] = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Write the report of what was last found."""
    _run(audit, ("report",), _RunOptions(None, no_prefect, json_output, single_file=single_file))


app.command("check-labels")(check_labels)
app.command("schedule")(schedule)
app.command("prune")(prune)
app.command("slices")(slices)
app.command("label-quality")(label_quality)
app.command("export")(export)
app.command("convert")(convert)
app.command("texts")(texts)


@app.command()
def doctor(
    workspace: Annotated[
        Path | None, typer.Argument(help="A workspace folder to examine for damage.")
    ] = None,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair the workspace: remove what is made again.")
    ] = False,
) -> None:
    """Check whether this installation can do its work, or a workspace is damaged."""
    if workspace is not None:
        from flows.commands.upkeep.workspace_doctor import examine

        examine(workspace, repair=repair)
        return
    if repair:
        raise ConfigError("--repair needs a workspace: weakspot doctor WORKSPACE --repair")
    from flows.commands.doctor import check_installation

    checks = check_installation()
    for check in checks:
        typer.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.message}")
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


class _RunOptions(NamedTuple):
    """How a run was asked for."""

    limit: int | None
    no_prefect: bool
    json_output: bool
    judge_limited: bool = False
    rehash: bool = False
    single_file: bool = False


def _run(audit: Path, stages: tuple[str, ...], options: _RunOptions) -> None:
    from flows.run.start import start_run
    from flows.run.summary import GatesFailedError

    try:
        summary = start_run(
            audit,
            stages=stages,
            limit=options.limit,
            judge_limited=options.judge_limited,
            rehash=options.rehash,
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with 0 done, 1 could not be done, 2 wrong usage, 3 gates failed.

    arguments: those of the process when None.
    """
    try:
        app(arguments, prog_name="weakspot")
    except WeakspotError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a share that went away
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("interrupted; what was computed is kept, run again to go on", err=True)
        sys.exit(130)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Polars, which --help does not import
            raise
        typer.echo(
            f"error: Polars failed: {error}; `weakspot doctor` finds damaged files", err=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
