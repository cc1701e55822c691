"""`weakspot doctor WORKSPACE`: what is damaged in a workspace; `--repair` repairs it."""

from pathlib import Path

import typer

from pipeline.exceptions import StoreError


def examine(folder: Path, *, repair: bool) -> None:
    """Print what is damaged in a workspace, and repair it where asked; exit with 1 if any stays.

    Raises StoreError when `folder` is no workspace or a run is using it.
    """
    from pipeline.workspace.integrity.examine import examine_workspace, repair_workspace
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.shard_place import read_place
    from pipeline.workspace.store import Store

    store = Store(folder, shards=read_place(folder))
    if not store.database.exists() and not (folder / "manifests").is_dir():
        raise StoreError(f"{folder}: not a workspace (no weakspot.duckdb); name the folder of one")
    with lock_workspace(folder):
        damages = examine_workspace(store)
        for one in damages:
            typer.echo(f"damaged: {one.path}: {one.fault} ({one.remedy})")
        if not damages:
            typer.echo(f"{folder}: no damage found")
        if repair:
            for line in repair_workspace(store, damages):
                typer.echo(line)
    if damages and not repair:
        if any(one.can_repair for one in damages):
            typer.echo(f"nothing is changed yet: weakspot doctor {folder} --repair repairs it")
        raise typer.Exit(1)
