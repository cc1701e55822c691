"""Word of failures: what a command and an address get."""

import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.run.schedules.notify import VARIABLE, check_target, notify_failure
from flows.run.summary import GatesFailedError, Summary
from pipeline.exceptions import ConfigError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # imports Prefect


def fail_with(error: Exception) -> None:
    """End a run with an error, as the flow's hook sees it."""
    from prefect import flow
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Failed

    @flow
    def audit() -> None: ...

    run = FlowRun(
        id=uuid.UUID(int=5),
        flow_id=uuid.UUID(int=6),
        name="night",
        parameters={"config_path": "/audits/night.toml"},
    )
    notify_failure(audit, run, Failed(data=error, message="Flow run encountered an exception"))


def test_a_command_gets_one_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"tee '{tmp_path / 'a word.json'}'")
    fail_with(OSError("the share is away"))
    assert json.loads((tmp_path / "a word.json").read_text()) == {
        "text": "weakspot: night: failed: the share is away",
        "status": "failed",
        "message": "the share is away",
        "run": "night",
        "run_id": str(uuid.UUID(int=5)),
        "config": "/audits/night.toml",
    }


def test_failing_gates_have_their_own_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"tee {tmp_path / 'word.json'}")
    fail_with(GatesFailedError("the gates fail: hat = yes", Summary("run")))
    word = json.loads((tmp_path / "word.json").read_text())
    assert (word["status"], word["message"]) == ("gates failed", "the gates fail: hat = yes")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    bodies: list[Any]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.bodies.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    bodies: list[Any] = []
    handler = type("Own", (Receiver,), {"bodies": bodies})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", bodies
        server.shutdown()


def test_an_address_gets_it_by_post(
    receiver: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, bodies = receiver
    monkeypatch.setenv(VARIABLE, address)
    fail_with(OSError("the share is away"))
    assert [body["message"] for body in bodies] == ["the share is away"]


@pytest.mark.parametrize("target", ["false", "http://127.0.0.1:9/", "/nowhere/at all"])
def test_word_that_cannot_be_sent_changes_nothing(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, target)
    fail_with(OSError("the share is away"))


def test_without_a_target_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    fail_with(OSError("the share is away"))


@pytest.mark.parametrize("target", ["nonesuch --loud", "'unclosed", ""])
def test_a_command_that_is_not_there_is_refused_at_the_start(target: str) -> None:
    with pytest.raises(ConfigError, match="--notify"):
        check_target(target)


def test_addresses_and_commands_are_taken() -> None:
    check_target("https://hooks.example.org/x")
    check_target("tee -a /tmp/words")
