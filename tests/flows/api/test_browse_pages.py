"""The pages of a served workspace: links and forms lead on, and nothing of the data is HTML."""

from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store
from reports.pages.browse.frame import BEHAVIOR
from tests.flows.api.browse_examples import copy_workspace, make_client, serve_source


class Reader(HTMLParser):
    """Collects addresses, ids and tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append(tag)
        assert not [name for name in own if name.startswith("on") or name == "style"], own
        if own.get("id"):
            self.ids.append(str(own["id"]))
        if tag == "a":
            self.links.append(str(own.get("href")))
        if tag == "img":
            self.images.append(str(own.get("src")))
            assert own.get("alt"), own


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("served"))


def open_page(client: TestClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text[-500:]
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith(BEHAVIOR.policy)
    return answer.text


def test_every_link_of_every_page_leads_somewhere(client: TestClient) -> None:
    waiting = ["/"]
    seen: set[str] = set()
    while waiting and len(seen) < 60:
        address = waiting.pop()
        if address in seen or address.startswith("#"):
            continue
        seen.add(address)
        if address == "/checks":  # no run is noted in this workspace, so no audit is known
            assert "run `weakspot run` first" in open_page(client, address, 503)
            continue
        if address.startswith("/api/"):
            assert client.get(address).status_code == 200
            continue
        page = Reader(open_page(client, address))
        assert len(set(page.ids)) == len(page.ids)
        assert all(link.startswith(("/", "#")) for link in page.links)
        waiting += page.links
    assert any(address.startswith("/samples?") for address in seen)
    assert any(address.startswith("/samples/s0") for address in seen)


def test_a_condition_that_cannot_be_read_is_shown_with_its_form(client: TestClient) -> None:
    page = open_page(client, "/samples?where=time+%3D+nite&sort=-error", 400)
    assert 'value="time = nite"' in page
    assert "condition, character 8: time has no value" in unescape(page)
    assert 'aria-invalid="true"' in page


def test_pictures_come_by_sample_id(client: TestClient) -> None:
    for address in ("/images/s003", "/images/s003?thumbnail=1", "/images/s003?whole=1"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    for name in ("s999", "003.png", "..%2f003.png", "%2e%2e", "s003%00", "s045"):
        answer = client.get(f"/images/{name}")
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


def test_a_page_shows_the_evidence_and_that_it_is_optimistic(client: TestClient) -> None:
    page = unescape(open_page(client, "/samples?where=time+%3D+night"))
    assert "80 of 240 samples" in page
    assert "the interval is optimistic" in page
    assert "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}80" in page


def write_hostile(folder: Path) -> Store:
    """Name the attribute, and a value of it, as HTML."""
    store = copy_workspace(folder)
    name, value = "<img src=x onerror=alert(1)>", "'\"><script>alert(2)</script>"
    with store.connect(read_only=False) as connection:
        connection.execute("UPDATE labels SET attribute = ?, value = ?", [name, value])
        connection.execute("UPDATE samples SET path = ? WHERE sample_id = 's000'", [value])
    manifest = LabelManifest.read(store.folder)
    attribute = manifest.attributes[0].model_copy(update={"name": name, "values": ()})
    manifest.model_copy(update={"attributes": (attribute,)}).write(store.folder)
    return store


def test_html_in_names_is_text(tmp_path: Path) -> None:
    client = serve_source(SnapshotSource(write_hostile(tmp_path)))
    plain = Reader(open_page(make_client_beside(tmp_path), "/samples/s000"))
    for address in ("/", "/samples", "/samples/s000", "/samples?like=s000",
                    "/samples?where=<script>alert(3)</script>"):  # fmt: skip
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    hostile = Reader(open_page(client, "/samples/s000"))
    assert hostile.tags.count("script") == plain.tags.count("script") == 1
    assert hostile.tags.count("img") == plain.tags.count("img")


def make_client_beside(folder: Path) -> TestClient:
    beside = folder / "plain"
    beside.mkdir()
    return make_client(beside)
