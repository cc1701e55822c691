"""`weakspot serve`: browse a workspace on a local page."""

from pathlib import Path
from typing import Annotated

import typer

PORT = 8300


def serve(
    workspace: Annotated[Path, typer.Argument(help="The workspace folder of an audit.")],
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0: any that is free.")
    ] = PORT,
    host: Annotated[
        str, typer.Option(help="The address to listen at; others than this machine need a token.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A further name that browsers call this server by.", metavar="NAME"),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="A file with the token to log in by; made where it is not there."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser of this machine.")
    ] = False,
    checker: Annotated[
        str, typer.Option(help="Who checks: a name kept with each answer (default: the user's).")
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing: no checks, no selections.")
    ] = False,
) -> None:
    """Browse findings, samples and labels on a local page; also as JSON under /api/v1."""
    from flows.api.browse.serve_workspace import ServeOptions, serve_workspace
    from flows.retrieval.search_session import keep_access

    with keep_access(workspace):
        serve_workspace(
            workspace,
            ServeOptions(
                port=port,
                host=host,
                allow_host=tuple(allow_host or ()),
                token_file=token_file,
                open_browser=open_browser,
                read_only=read_only,
                checker=checker,
            ),
            show=typer.echo,
        )
