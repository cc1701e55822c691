"""`weakspot serve` from start to end: one workspace, one server."""

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from flows.api.browse.api_routes import PREFIX, make_api_router
from flows.api.browse.check_pages import make_check_pages
from flows.api.browse.form_routes import make_form_router
from flows.api.browse.login_routes import make_login_router
from flows.api.browse.map_routes import make_map_pages, make_map_router
from flows.api.browse.page_routes import make_page_router, make_picture_router
from flows.api.browse.problems import add_handlers
from flows.api.browse.result_routes import make_result_pages, make_result_router
from flows.api.browse.service import Service
from flows.api.browse.write_routes import make_write_router
from flows.api.security import NAMES, Guard
from flows.api.serve_checks import find_user
from flows.api.server import HOST, serve
from flows.api.token_access import open_token
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.exceptions import ConfigError
from pipeline.workspace.store import find_store
from reports.pages.browse.frame import BEHAVIOR

Print = Callable[[str], None]


@dataclass(frozen=True)
class ServeOptions:
    """How a workspace is served.

    port: 0 for any that is free. host: the address that is listened at. allow_host: further names
    that browsers may call the server by. token_file: with the token that requests must bring.
    checker: kept with answers.
    """

    port: int
    host: str = HOST
    allow_host: tuple[str, ...] = ()
    token_file: Path | None = None
    open_browser: bool = False
    read_only: bool = False
    checker: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigError where others could reach the server without a token."""
        exposed = self.host not in NAMES
        if (exposed or self.allow_host) and self.token_file is None:
            raise ConfigError(
                f"--host {self.host}: others can reach the page there; name a file for a token "
                "with --token-file, which is made if it is not there"
            )
        if exposed and not self.allow_host:
            raise ConfigError(
                f"--host {self.host}: name what browsers will call this server by, with "
                "--allow-host NAME"
            )


def serve_workspace(workspace: Path, options: ServeOptions, *, show: Print) -> None:
    """Serve a workspace until Ctrl-C.

    show: prints a line. Raises StoreError where there is nothing to show, ConfigError when the port
    is taken.
    """
    token = None if options.token_file is None else open_token(options.token_file)
    source = SnapshotSource(find_store(workspace), keep=not options.read_only)
    service = Service(source, read_only=options.read_only, checker=options.checker or find_user())
    names = NAMES | {name.lower() for name in options.allow_host}
    end = source.watch()

    def announce(address: str) -> None:
        where = "a browser of this machine" if token is None else "a browser"
        opened = address if token is None else f"{address}login#{token}"
        show(f"Open {opened} in {where}. Ctrl-C ends it.")
        if options.open_browser:
            webbrowser.open(opened)

    try:
        serve(
            make_browse_app(service, names=names, token=token),
            port=options.port,
            host=options.host,
            announce=announce,
        )
    finally:
        end()


def make_browse_app(
    service: Service, *, names: frozenset[str] = NAMES, token: str | None = None
) -> ASGIApp:
    """Return the application of a service behind the guard.

    names: of hosts it answers to. token: that requests must bring; None where none is needed.
    """
    app = make_routes(service)
    if token is not None:
        app.include_router(make_login_router(token))
    return Guard(app, policy=BEHAVIOR.policy, names=names, token=token)


def make_routes(service: Service) -> FastAPI:
    """Return the application without its guard; its schema is at /api/v1/openapi.json."""
    app = FastAPI(
        title="weakspot",
        version="1",
        description="What an audit knows of its samples. `weakspot serve WORKSPACE` answers.",
        docs_url=None,  # a page of documentation would load scripts from elsewhere
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        generate_unique_id_function=_name_operation,
    )
    for router in (
        make_api_router(service), make_write_router(service), make_page_router(service),
        make_form_router(service), make_result_router(service), make_result_pages(service),
        make_map_router(service), make_map_pages(service), make_check_pages(service),
        make_picture_router(service),
    ):  # fmt: skip
        app.include_router(router)
    add_handlers(app)
    return app


def _name_operation(route: APIRoute) -> str:
    return route.name
