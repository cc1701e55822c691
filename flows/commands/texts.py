"""`weakspot texts`: which images hold some words."""

from pathlib import Path
from typing import Annotated

import typer


def texts(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    words: Annotated[list[str], typer.Argument(help="Words that a line of text holds.")],
) -> None:
    """List the images whose text holds all the words; upper and lower case are the same."""
    from flows.stages.stored_texts import find_texts

    found = find_texts(workspace, words)
    for path, text, _score in found.iter_rows():
        typer.echo(f"{path}\t{text}")
    typer.echo(f"{found.height:,} lines of text hold {' and '.join(words)}", err=True)
