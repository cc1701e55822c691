"""The map of a served workspace: a picture that leads to the samples of a place."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.maps.density_image import SIDE
from tests.flows.api.browse_examples import add_map, add_system, copy_workspace, serve_source


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    store = copy_workspace(tmp_path_factory.mktemp("served"))
    add_system(store, "see/ker")
    add_map(store)
    return serve_source(SnapshotSource(store))


def list_shown(page: str) -> list[str]:
    return re.findall(r'href="/samples/(s\d+)', page)


def test_a_click_shows_the_samples_there_by_the_system_of_the_picture(client: TestClient) -> None:
    page = client.get("/map", params={"system": "see/ker"}).text
    link = re.search(r'<a href="(/map/at[^"]*)"><img ismap src="([^"]*)"', page)
    assert link is not None
    picture = client.get(link[2].replace("&amp;", "&"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/webp")
    there = client.get(f"{link[1]}?{SIDE},{SIDE // 2}")  # as a browser asks
    assert there.status_code == 200
    assert list_shown(there.text)[0] == "s239"
    assert len(list_shown(there.text)) == 24
    assert "the error of <bdi>see/ker</bdi>" in there.text
    assert '<input type="hidden" name="system" value="see/ker">' in there.text
    first = client.get("/map/at", params={"x": "0", "y": "0.5"}).text
    assert list_shown(first)[0] == "s000"
    assert "the error of <bdi>finder</bdi>" in first


def test_a_place_outside_the_picture_and_a_workspace_without_a_map_are_said(
    client: TestClient, tmp_path: Path
) -> None:
    for address in ("/map/at?721,3", "/map/at?x=a&y=0", "/map/at", "/map/at/nobody?3,3",
                    "/map/picture?system=nobody"):  # fmt: skip
        assert client.get(address).status_code == 400
    bare = serve_source(SnapshotSource(copy_workspace(tmp_path)))
    assert "No map was made here" in bare.get("/map").text
    assert bare.get("/map/at?3,3").status_code == bare.get("/map/picture").status_code == 404
