"""What other pages in the browser of this machine could try, and must not get."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from flows.api.questionnaire import Questionnaire
from flows.api.security import MOST_BYTES, find_refusal
from pipeline.workspace.kept.kept_checks import Journal
from tests.flows.api.check_examples import DRAW, make_check_app, make_task

OWN = "http://127.0.0.1:8300"
ANSWER = {"draw": DRAW, "question": "0", "answer": "right"}
WRITES = ("/checks/answers", "/checks/undo")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


@pytest.fixture
def client(tmp_path: Path, journal: Journal) -> TestClient:
    asked = Questionnaire(make_task(tmp_path / "images"), journal, checker="me")
    return TestClient(make_check_app(asked), base_url=OWN, follow_redirects=False)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8300", "127.0.0.1.evil.example", "localhost.evil.example",
        "169.254.169.254", "0.0.0.0:8300", "127.0.0.2:8300", "2130706433:8300", "127.1",
        "[::1]:8300", "localhost.:8300", "user@127.0.0.1:8300", "127.0.0.1:8300@evil.example",
        "127.0.0.1/evil", "127.0.0.1:port", "127.0.0.1:8300, evil.example", " ", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/checks", "/images/0000000000000000", "/nosuch"])
def test_a_name_of_another_machine_is_refused_whatever_it_asks(
    client: TestClient, host: str, path: str
) -> None:
    """DNS rebinding: the browser takes our page for the attacker's own; only Host shows it."""
    headers = {"Host": host, "Sec-Fetch-Site": "same-origin"}
    answer = client.get(path, headers=headers)
    assert (answer.status_code, "refused" in answer.text) == (403, True)
    assert not host.strip() or host not in answer.text


def test_a_rebound_page_cannot_write(client: TestClient, journal: Journal) -> None:
    headers = {"Host": "evil.example:8300", "Origin": "http://evil.example:8300",
               "Sec-Fetch-Site": "same-origin"}  # fmt: skip
    for path in WRITES:
        assert client.post(path, data=ANSWER, headers=headers).status_code == 403
    assert journal.read().is_empty()


@pytest.mark.parametrize("host", ["127.0.0.1:8300", "localhost:8300", "LocalHost:1", "127.0.0.1"])
def test_names_of_this_machine_are_answered_on_any_port(client: TestClient, host: str) -> None:
    assert client.get("/checks", headers={"Host": host}).status_code == 200


def test_two_hosts_or_none_are_refused() -> None:
    for hosts in ([], [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]):
        assert find_refusal("GET", Headers(raw=hosts)) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8300"},  # this machine by another name is another site
        {"Origin": "http://127.0.0.1:9999"},  # as is another server on this machine
        {"Origin": "https://127.0.0.1:8300"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "nonsense"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", WRITES)
def test_another_site_cannot_write(
    client: TestClient, journal: Journal, path: str, headers: dict[str, str]
) -> None:
    client.post("/checks/answers", data=ANSWER, headers={"Origin": OWN})
    before = journal.path.read_bytes()
    answer = client.post(path, data={**ANSWER, "question": "1"}, headers=headers)
    assert answer.status_code == 403
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize(
    "headers", [{"Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
                {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}],
)  # fmt: skip
def test_the_page_itself_can_write(
    client: TestClient, journal: Journal, headers: dict[str, str]
) -> None:
    answer = client.post("/checks/answers", data=ANSWER, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/checks")
    assert journal.read().height == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", WRITES)
def test_nothing_but_post_writes(
    client: TestClient, journal: Journal, path: str, method: str
) -> None:
    answer = client.request(method, path, params=ANSWER, headers={"Origin": OWN})
    assert answer.status_code == 405
    assert not journal.path.exists()


def test_reading_writes_nothing(client: TestClient, journal: Journal) -> None:
    for path in ("/", "/checks", "/checks?choose=0", "/images/0000000000000001", "/favicon.ico",
                 "/docs", "/openapi.json", "/redoc", "/checks?draw=x&answer=right"):  # fmt: skip
        client.get(path)
    assert not journal.path.parent.exists()


def test_another_site_may_link_here_but_not_embed_or_read(client: TestClient) -> None:
    linked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/checks", headers=linked).status_code == 200
    for mode in ("no-cors", "cors", "same-origin", "websocket"):
        embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Origin": "http://e.e"}
        for path in ("/checks", "/images/0000000000000000"):
            answer = client.get(path, headers=embedded)
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/checks", "/images/0000000000000000", "/nosuch", "/checks/undo"])
def test_every_answer_carries_the_policy(client: TestClient, path: str) -> None:
    for headers in ({}, {"Host": "evil.example"}):
        answer = client.get(path, headers=headers)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-")
        assert policy.endswith("form-action 'self'; frame-ancestors 'none'")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    [
        "/images/../check_examples.py", "/images/..%2f..%2fetc%2fpasswd", "/images/%2e%2e/0.png",
        "/images/0.png", "/images//etc/passwd", "/images/0000000000000000%00.png", "/images/",
        "/images/00000000000000000", "/images/ffffffffffffffff", "/images/%ff",
    ],
)  # fmt: skip
def test_images_are_found_by_sample_id_alone(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "passwd" not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a" * (MOST_BYTES + 1), "application/x-www-form-urlencoded", 413),
        (b"question=0&question=1", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"f%d=1" % n for n in range(99)), "application/x-www-form-urlencoded", 400),
        (b"question=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b'{"question": 0}', "application/json", 415),
        (b"question=0", "text/plain", 415),
        (b"question=0", "", 415),
    ],
    ids=["long", "twice", "many", "no UTF-8", "bytes", "JSON", "text", "no type"],
)
def test_what_is_no_small_form_is_refused(
    client: TestClient, journal: Journal, body: bytes, kind: str, status: int
) -> None:
    """Also text/plain, which any site can send without asking first."""
    headers = {"Origin": OWN, "Content-Type": kind}
    assert client.post("/checks/answers", content=body, headers=headers).status_code == status
    assert not journal.path.exists()


FIELDS = st.sampled_from(["draw", "question", "answer", "value", "other"])
TEXTS = st.one_of(
    st.sampled_from([DRAW, "0", "1", "23", "24", "-1", "right", "wrong", "cannot say", "", "٣"]),
    st.text(max_size=20),
)


@settings(max_examples=150)
@given(
    form=st.dictionaries(FIELDS, TEXTS), path=st.sampled_from(WRITES), choose=TEXTS,
    sample_id=st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text != ".."),
)  # fmt: skip
def test_whatever_is_sent_is_answered_or_refused_and_breaks_nothing(
    form: dict[str, str], path: str, choose: str, sample_id: str
) -> None:
    """The client raises what the application raises, so a traceback would show."""
    client = fuzzed_client()
    done = client.post(path, data=form, headers={"Origin": OWN})
    assert done.status_code in {303, 400, 409, 415}  # 415: a form without a field has no type
    assert client.get("/checks", params={"choose": choose}).status_code == 200
    assert client.get(f"/images/{quote(sample_id, safe='')}").status_code == 404
    assert client.get("/checks").status_code == 200


@functools.cache
def fuzzed_client() -> TestClient:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    asked = Questionnaire(make_task(folder / "images"), Journal(folder), checker="me")
    return TestClient(make_check_app(asked), base_url=OWN, follow_redirects=False)
