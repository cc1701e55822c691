"""`weakspot serve` from start to end: one workspace, one server."""

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from flows.api.browse.api_routes import PREFIX, make_api_router
from flows.api.browse.form_routes import make_form_router
from flows.api.browse.page_routes import make_page_router, make_picture_router
from flows.api.browse.problems import add_handlers
from flows.api.browse.service import Service
from flows.api.browse.write_routes import make_write_router
from flows.api.security import NAMES, Guard
from flows.api.serve_checks import find_user
from flows.api.server import HOST, serve
from flows.browsing.snapshot_source import SnapshotSource
from pipeline.workspace.store import find_store
from reports.pages.browse.frame import BEHAVIOR

Print = Callable[[str], None]


@dataclass(frozen=True)
class ServeOptions:
    """How a workspace is served. port: 0 for any that is free. checker: kept with answers."""

    port: int
    host: str = HOST
    open_browser: bool = False
    read_only: bool = False
    checker: str = ""


def serve_workspace(workspace: Path, options: ServeOptions, *, show: Print) -> None:
    """Serve a workspace until Ctrl-C.

    show: prints a line. Raises StoreError where there is nothing to show, ConfigError when the port
    is taken.
    """
    source = SnapshotSource(find_store(workspace), keep=not options.read_only)
    service = Service(source, read_only=options.read_only, checker=options.checker or find_user())
    end = source.watch()

    def announce(address: str) -> None:
        show(f"Open {address} in a browser of this machine. Ctrl-C ends it.")
        if options.open_browser:
            webbrowser.open(address)

    try:
        serve(make_browse_app(service), port=options.port, announce=announce)
    finally:
        end()


def make_browse_app(service: Service, *, names: frozenset[str] = NAMES) -> ASGIApp:
    """Return the application of a service behind the guard; names: of hosts it answers to."""
    return Guard(make_routes(service), policy=BEHAVIOR.policy, names=names)


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
        make_form_router(service), make_picture_router(service),
    ):  # fmt: skip
        app.include_router(router)
    add_handlers(app)
    return app


def _name_operation(route: APIRoute) -> str:
    return route.name
