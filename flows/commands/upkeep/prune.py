"""`weakspot prune`: what a workspace does not need any more; says what and how much first."""

from pathlib import Path
from typing import Annotated

import typer

_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def prune(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    *,
    keep_runs: Annotated[
        int, typer.Option("--keep-runs", min=1, metavar="N", help="How many runs to keep.")
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it nothing is.")] = False,
) -> None:
    """List what a workspace does not need any more: old runs, labels, errors and vectors."""
    from flows.commands.upkeep.pruning import list_removals, remove
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store, open_store

    find_store(workspace)
    with lock_workspace(workspace):
        store = open_store(workspace)
        removals = list_removals(store, keep_runs=keep_runs)
        for one in removals:
            rows = f", {one.rows:,} rows" if one.rows else ""
            size = f", {write_size(one.size)} of files" if one.size else ""
            typer.echo(f"{one.what}: {one.ids:,}{rows}{size} (kept: {one.kept})")
        if not removals:
            typer.echo("nothing to remove")
        elif yes:
            remove(store, removals)
            freed = sum(one.size for one in removals)
            typer.echo(f"removed; {write_size(freed)} of files freed")
        else:
            typer.echo("nothing is removed yet: --yes removes it")


def write_size(size: int) -> str:
    """Write a number of bytes with a unit."""
    for least, unit in _UNITS:
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size:,} bytes"
