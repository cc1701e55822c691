"""A served workspace that is killed again and again keeps every check that it confirmed."""

import http.client
import json
import random
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.workspace.kept.kept_checks import Journal, read_checks
from tests.flows.api.browse_examples import copy_workspace
from tests.flows.api.browse_served import serve_folder
from tests.flows.api.served import Served
from tests.flows.retrieval.planted_workspace import COUNT, name_sample

KILLS, CHECKS = 10, 1000


def send(served: Served, number: int, connection: http.client.HTTPConnection) -> int:
    """Keep one answer and return the status; raises what a dead server gives."""
    host = urlsplit(served.address).netloc
    answer = ("right", "wrong")[number // COUNT % 2]
    body = {"sample_id": name_sample(number % COUNT), "attribute": "time", "answer": answer}
    headers = {"Origin": f"http://{host}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/checks", json.dumps(body), headers)
    reply = connection.getresponse()
    reply.read()
    return reply.status


@pytest.mark.endurance
def test_no_check_of_a_thousand_is_gone_after_ten_kills(tmp_path: Path) -> None:
    store = copy_workspace(tmp_path)
    chance = random.Random(0)  # noqa: S311 - of the moment of a kill
    confirmed: list[int] = []
    kills = 0
    while len(confirmed) < CHECKS:
        with serve_folder(store.folder) as served:
            connection = http.client.HTTPConnection(urlsplit(served.address).netloc, timeout=30)
            killer = None
            if kills < KILLS:
                killer = threading.Timer(chance.uniform(0.1, 0.8), served.process.kill)
                killer.start()
            try:
                most = CHECKS if kills == KILLS else CHECKS * (kills + 1) // (KILLS + 1)
                while len(confirmed) < CHECKS:
                    if len(confirmed) >= most:  # the others are for the servers after this one
                        served.process.kill()
                    if send(served, len(confirmed), connection) == 201:
                        confirmed.append(len(confirmed))
            except (OSError, http.client.HTTPException):
                kills += 1
            finally:
                connection.close()
            if killer is not None:
                killer.join()
    assert kills == KILLS
    lines = Journal(store.folder).path.read_bytes().split(b"\n")
    whole = sum(line.endswith(b'"kind":"answer"}') for line in lines)
    assert CHECKS <= whole <= CHECKS + kills  # one that was under way may be kept unconfirmed
    assert read_checks(store.folder).height == COUNT
