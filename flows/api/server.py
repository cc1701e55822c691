"""The server of the local page: one address of this machine, and no logs of what it is asked."""

import contextlib
import errno
import socket
from collections.abc import Callable

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from flows.api.security import Guard
from pipeline.exceptions import ConfigError

HOST = "127.0.0.1"
_GRACE = 2  # seconds that a browser has to close its connections when the server ends


def make_app(*routers: APIRouter, policy: str) -> ASGIApp:
    """Return the application of some routers behind the one guard.

    policy: the Content-Security-Policy of its pages.
    """
    # No pages of documentation: they would load scripts from elsewhere.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(HTTPException, _explain)
    return Guard(app, policy=policy)


def serve(app: ASGIApp, *, port: int, announce: Callable[[str], None], host: str = HOST) -> None:
    """Serve until Ctrl-C, which ends it without an error.

    port: 0 for any that is free. host: an address of this machine. announce: gets the address once
    it can be opened. Raises ConfigError when the port is taken or the address is none of this
    machine.
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", ws="none",
        server_header=False, timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    with _bind(host, port) as listener:
        announce(f"http://{host}:{listener.getsockname()[1]}/")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if host != HOST and error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise ConfigError(f"--host {host}: cannot be used ({error.strerror})") from None
        raise ConfigError(
            f"--port {port}: cannot be used ({error.strerror}); name another, or 0 for any free one"
        ) from None
    return listener


def _explain(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    reason = error.detail if isinstance(error, HTTPException) else "it failed"
    return PlainTextResponse(f"{reason}\n", status)
