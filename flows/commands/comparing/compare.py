"""`weakspot compare`: what changed between two runs, and whether the change holds up."""

import json
from pathlib import Path
from typing import Annotated

import typer


def compare(
    before: Annotated[
        str, typer.Argument(help="A workspace, or WORKSPACE@RUN_ID of an earlier run of it.")
    ],
    after: Annotated[
        str | None, typer.Argument(help="The same; without it another system of the first.")
    ] = None,
    *,
    system: Annotated[
        str | None, typer.Option(help="The system, where the first run has several.")
    ] = None,
    after_system: Annotated[
        str | None, typer.Option(help="That of the second run, where it has another name.")
    ] = None,
    max_regression: Annotated[
        float | None,
        typer.Option(min=0.0, help="Exit with 3 where the error of a slice grew by more."),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Write FILE.html, .csv, .parquet or .json; may be given again."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Compare two runs, versions or systems slice by slice: what is new, worse, better or fixed."""
    from flows.commands.comparing.comparison_output import (
        check_files,
        print_changes,
        write_file,
    )
    from flows.run.reading.compared_runs import read_run
    from flows.run.reading.comparison_data import to_content
    from pipeline.comparison.changes import compare_all, compare_slices, judge_regressions
    from pipeline.exceptions import ConfigError
    from pipeline.vocabulary import FAIL

    files = out or []
    check_files(files)
    if after is None and after_system in (None, system):
        raise ConfigError(
            "nothing to compare: name a second run, or another system by --after-system"
        )
    sides = (
        read_run(before, system=system),
        read_run(after or before, system=after_system or (system if after else None)),
    )
    overall = compare_all(sides[0].rows, sides[1].rows)
    changes = compare_slices(sides[0].rows, sides[1].rows, max_regression=max_regression)
    for file in files:
        write_file(file, sides, overall, changes)
    if json_output:
        typer.echo(json.dumps(to_content(sides, overall, changes), ensure_ascii=False))
    else:
        print_changes(sides, overall, changes)
        for file in files:
            typer.echo(f"wrote {file}")
    if judge_regressions(changes) == FAIL:
        raise typer.Exit(3)
