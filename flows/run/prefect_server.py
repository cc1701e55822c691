"""Prefect's API for one run: the server that is configured, or a temporary one that dies with us.

Prefect's own temporary server outlives a killed run. This one watches its parent and ends within
a second of it, so that no process is left behind.
"""

import atexit
import contextlib
import functools
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

from pipeline.exceptions import WeakspotError

START_SECONDS = 120.0
_SERVER = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}


@functools.cache
def hush_exit() -> None:
    """Silence standard error while the interpreter is taken apart, after all else is done.

    Prefect's threads still run then, and DuckDB's bindings print dozens of lines about objects
    that those threads keep.
    """

    def close() -> None:
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.register(close)


@contextlib.contextmanager
def serve_prefect(meanwhile: Callable[[], object]) -> Iterator[str]:
    """Yield the URL of Prefect's API: the configured one, or a temporary server's while inside.

    meanwhile: called while the server starts, which takes seconds. Raises WeakspotError when the
    temporary server does not answer in time.
    """
    hush_exit()
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    configured = PREFECT_API_URL.value()
    if configured:
        meanwhile()
        yield configured
        return
    port = _find_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "flows.run.prefect_server", str(port), str(os.getpid())]
    server = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_SERVER},
    )
    try:
        meanwhile()
        _wait_until_healthy(url, server)
        # A server that dies with the run needs no heartbeat, for which each flow would end a second
        # later.
        with temporary_settings({PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{url}/health", timeout=2) as answer,  # noqa: S310 - our own loopback address
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise WeakspotError(
        "Prefect's temporary server did not start; run `prefect server start` and set "
        "PREFECT_API_URL to its address to see why"
    )


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _serve(port: int, parent: int) -> None:
    """Serve Prefect's API on the loopback address until the parent process ends."""
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
