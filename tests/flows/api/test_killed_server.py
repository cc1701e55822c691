"""A server of its own process: what it keeps when it is killed, and how it ends."""

import http.client
import itertools
import random
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flows.api.server import make_app, serve
from pipeline.exceptions import ConfigError
from pipeline.workspace.kept.kept_checks import Journal
from tests.flows.api.check_examples import COUNT, DRAW, VALUES
from tests.flows.api.served import Served, serve_checks

KILLS = 10
QUESTIONS = COUNT * len(VALUES)


def send(served: Served, number: int, *, path: str = "/checks/answers") -> int:
    """Answer one question and return the status; raises what a dead server gives."""
    host = urlsplit(served.address).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        body = f"draw={DRAW}&question={number % QUESTIONS}&answer=right"
        headers = {"Origin": f"http://{host}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def count_answers(folder: Path) -> int:
    """Count the whole lines of answers, also those that later ones replaced."""
    path = Journal(folder).path
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return sum(line.endswith(b'"kind":"answer"}') for line in lines)


@pytest.mark.slow
def test_no_answer_that_was_confirmed_is_gone_after_ten_kills(tmp_path: Path) -> None:
    chance = random.Random(0)  # noqa: S311 - of the moment of a kill
    numbers, confirmed = itertools.count(), 0
    for _ in range(KILLS):
        with serve_checks(tmp_path) as served:
            delay = chance.uniform(0.05, 0.4)
            killer = threading.Timer(delay, served.process.kill)
            assert send(served, next(numbers)) == 303
            confirmed += 1
            killer.start()
            try:
                while send(served, next(numbers)) == 303:
                    confirmed += 1
            except (OSError, http.client.HTTPException):
                pass
            killer.join()
        assert count_answers(tmp_path) >= confirmed
    assert confirmed > 5 * KILLS
    # At most the one answer that was under way at each kill was kept without being confirmed.
    assert count_answers(tmp_path) <= confirmed + KILLS
    assert Journal(tmp_path).read().height == min(QUESTIONS, confirmed)


@pytest.mark.slow
@pytest.mark.parametrize("open_connection", [False, True])
def test_ctrl_c_ends_the_server_without_an_error(tmp_path: Path, *, open_connection: bool) -> None:
    with serve_checks(tmp_path) as served:
        address = urlsplit(served.address)
        assert (address.hostname, address.path) == ("127.0.0.1", "/")
        send(served, 0)
        if open_connection:  # a browser keeps one
            kept = socket.create_connection((address.hostname or "", address.port or 0))
            kept.sendall(b"GET /checks HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in kept.recv(100)
        started = time.monotonic()
        assert served.end(signal.SIGINT) == 0
        assert time.monotonic() - started < 10
        if open_connection:
            kept.close()


@pytest.mark.slow
def test_the_server_is_on_the_loopback_address_and_reads_raw_paths_safely(tmp_path: Path) -> None:
    with serve_checks(tmp_path) as served:
        port = urlsplit(served.address).port or 0
        for path in (b"/images/../../../../etc/passwd", b"/images/..\\..\\0.png", b"//images/0.png",
                     b"http://127.0.0.1/images/../0.png", b"/images/%2e%2e%2f0.png"):  # fmt: skip
            with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
                raw.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n\r\n")  # fmt: skip
                answer = raw.recv(1000)
            assert answer.startswith(b"HTTP/1.1 404")
        sockets = Path("/proc/net/tcp")
        if sockets.exists():  # Linux
            rows = [line.split() for line in sockets.read_text(encoding="ascii").splitlines()[1:]]
            own = [row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"]
            assert own == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken_is_refused_by_its_number() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"--port {port}: cannot be used .*0 for any free"):
            serve(make_app(policy=""), port=port, announce=print)
