"""The `weakspot` command. Only `run` and the stages start Prefect; imports here are light."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.attributes import app as attributes_app
from flows.commands.audits.run import run
from flows.commands.audits.stages import embed, fairness, find, label, report, score
from flows.commands.check_labels import check_labels
from flows.commands.comparing.compare import compare
from flows.commands.data import convert, export, texts
from flows.commands.demo import app as demo_app
from flows.commands.labels.label_quality import label_quality
from flows.commands.mining.mine import mine
from flows.commands.ranking.rank import rank
from flows.commands.ranking.similar import similar
from flows.commands.ranking.similarity import similarity
from flows.commands.retrieval.search import search
from flows.commands.schedule import schedule
from flows.commands.serving.selections import app as selections_app
from flows.commands.serving.serve import serve
from flows.commands.slices import slices
from flows.commands.space.clusters import clusters
from flows.commands.space.map import map_samples
from flows.commands.space.regions import regions
from flows.commands.trusting.attack import app as attack_app
from flows.commands.trusting.bias import bias
from flows.commands.trusting.trust import trust
from flows.commands.tuning.tune import tune
from flows.commands.upkeep.prune import prune
from flows.commands.zero_shot.captions import captions
from flows.commands.zero_shot.classify import classify
from flows.commands.zero_shot.detect import detect
from pipeline.exceptions import ConfigError, WeakspotError

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
app.add_typer(attack_app, name="attack")
app.add_typer(selections_app, name="selections")


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


for stage in (run, embed, label, score, find, fairness, report):
    app.command()(stage)
app.command("check-labels")(check_labels)
app.command("serve")(serve)
app.command("compare")(compare)
app.command("schedule")(schedule)
app.command("prune")(prune)
app.command("slices")(slices)
app.command("search")(search)
app.command("clusters")(clusters)
app.command("map")(map_samples)
app.command("label-quality")(label_quality)
app.command("mine")(mine)
app.command("tune")(tune)
app.command("regions")(regions)
app.command("export")(export)
app.command("convert")(convert)
app.command("texts")(texts)
app.command("rank")(rank)
app.command("similar")(similar)
app.command("similarity")(similarity)
app.command("classify")(classify)
app.command("captions")(captions)
app.command("bias")(bias)
app.command("trust")(trust)
app.command("detect")(detect)


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
