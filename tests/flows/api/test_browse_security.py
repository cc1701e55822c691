"""What others may not get from a served workspace."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from flows.browsing.snapshot_source import SnapshotSource
from pipeline.workspace.manifests import SamplesManifest
from tests.flows.api.browse_examples import make_client, serve_source
from tests.flows.retrieval.planted_workspace import write_workspace


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("served"))


PATHS = (
    *("/", "/samples", "/samples/s001", "/images/s001"),
    *("/api/v1/samples", "/api/v1/openapi.json", "/nosuch"),
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0:8300", ""])
def test_a_foreign_host_is_refused_before_anything(
    client: TestClient, path: str, host: str
) -> None:
    headers = {"Host": host, "Sec-Fetch-Site": "same-origin", "Origin": f"http://{host}"}
    answer = client.get(path, headers=headers)
    assert (answer.status_code, "refused" in answer.text) == (403, True)


@pytest.mark.parametrize("path", PATHS)
def test_another_site_may_not_embed_or_read(client: TestClient, path: str) -> None:
    for site in ("cross-site", "same-site"):
        answer = client.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"})
        assert answer.status_code == 403
    answer = client.get(path, headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_link_that_leads_out_of_the_dataset_is_not_followed(tmp_path: Path) -> None:
    store = write_workspace(tmp_path)
    secret = tmp_path / "secret.png"
    image = Path(SamplesManifest.read(store.folder).root or "") / "003.png"
    image.rename(secret)
    image.symlink_to(secret)
    answer = serve_source(SnapshotSource(store)).get("/images/s003")
    assert (answer.status_code, "leads out of the images folder" in answer.text) == (404, True)


def test_a_path_in_the_database_that_climbs_out_is_not_served(tmp_path: Path) -> None:
    store = write_workspace(tmp_path)
    (tmp_path / "secret.png").write_bytes((tmp_path / "images" / "001.png").read_bytes())
    with store.connect(read_only=False) as connection:
        connection.execute("UPDATE samples SET path = '../secret.png' WHERE sample_id = 's003'")
    answer = serve_source(SnapshotSource(store)).get("/images/s003")
    assert (answer.status_code, "leads out" in answer.text) == (404, True)


def test_nothing_is_written_with_read_only(tmp_path: Path) -> None:
    client = make_client(tmp_path, read_only=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "workspace").rglob("*")}
    for address in ("/", "/samples?where=time+%3D+night", "/samples/s001", "/samples?text=a+hat"):
        assert client.get(address).status_code == 200
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "workspace").rglob("*")}
    scans = [path for path in after if "scan" in path.parts]  # the vectors as one array
    assert {path for path in after if path not in scans} == set(before) - set(scans)
