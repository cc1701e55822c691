"""`weakspot selections`: what was saved while browsing a workspace."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, export and remove what was saved while browsing a workspace.")
Workspace = Annotated[Path, typer.Argument(help="The workspace folder of an audit.")]
Name = Annotated[str, typer.Argument(help="The name that it was saved by.")]


@app.command("list")
def list_saved(workspace: Workspace) -> None:
    """List saved slices and attributes, the oldest first."""
    from pipeline.workspace.kept.kept_selections import SelectionJournal
    from pipeline.workspace.store import find_store

    saved = SelectionJournal(find_store(workspace).folder).read()
    for one in saved:
        chosen = f"{one.picked} picked by hand" if one.picked else one.where or one.text or one.like
        file = f"; {one.file}" if one.file else ""
        typer.echo(f"{one.name}: {one.saved_as} of {one.n:,} samples, {chosen}{file}")
    if not saved:
        typer.echo("nothing is saved here; `weakspot serve` saves slices and attributes")


@app.command("export")
def export_saved(
    workspace: Workspace,
    name: Name,
    file: Annotated[Path, typer.Argument(help="The CSV file to write.", dir_okay=False)],
) -> None:
    """Write the samples of a selection as CSV: sample_id and path."""
    from flows.browsing.export_selection import export_selection

    count = export_selection(workspace, name, file)
    typer.echo(f"wrote {count:,} samples to {file}")


@app.command("remove")
def remove_saved(workspace: Workspace, name: Name) -> None:
    """Forget a selection and remove the files that it wrote."""
    from flows.browsing.save_selection import remove_selection
    from pipeline.workspace.store import find_store

    removed = remove_selection(find_store(workspace).folder, name)
    files = [path for path in (removed.file, removed.labels) if path]
    typer.echo(f"removed {name}" + (f" and {', '.join(files)}" if files else ""))
