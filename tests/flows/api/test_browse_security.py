"""What others may not get from a served workspace."""

import io
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from flows.api.browse.serve_workspace import ServeOptions, make_browse_app
from flows.api.browse.service import Service
from flows.api.security import NAMES
from flows.api.token_access import open_token
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.exceptions import ConfigError
from pipeline.workspace.manifests import SamplesManifest
from tests.flows.api.browse_examples import OWN, copy_workspace, make_client, serve_source


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
    store = copy_workspace(tmp_path)
    secret = tmp_path / "secret.png"
    image = Path(SamplesManifest.read(store.folder).root or "") / "003.png"
    image.rename(secret)
    image.symlink_to(secret)
    answer = serve_source(SnapshotSource(store)).get("/images/s003")
    assert (answer.status_code, "leads out of the images folder" in answer.text) == (404, True)


def test_a_path_in_the_database_that_climbs_out_is_not_served(tmp_path: Path) -> None:
    store = copy_workspace(tmp_path)
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


TOKEN = "t0ken-of-this-test-" + "x" * 30


@pytest.fixture
def locked(tmp_path: Path) -> TestClient:
    service = Service(SnapshotSource(copy_workspace(tmp_path)))
    app = make_browse_app(service, names=NAMES | {"audits.example"}, token=TOKEN)
    return TestClient(app, base_url="http://audits.example:8300", follow_redirects=False)


def test_without_the_token_nothing_is_answered(locked: TestClient) -> None:
    for path in (*PATHS, "/selections"):
        assert locked.get(path).status_code == 401
        page = locked.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers.get("location")) == (303, "/login")
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\N{SNOWMAN}"):
        headers = {b"Authorization": f"Bearer {wrong}".encode()}
        assert locked.get("/api/v1/samples", headers=headers).status_code == 401
        own = {"Origin": "http://audits.example:8300"}
        answer = locked.post("/login", data={"token": wrong}, headers=own)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


def test_the_token_opens_the_api_and_the_log_in_gives_a_cookie(locked: TestClient) -> None:
    answer = locked.get("/api/v1/samples", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    own = {"Origin": "http://audits.example:8300"}
    answer = locked.post("/login", data={"token": TOKEN}, headers=own)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert locked.get("/samples").status_code == 200


def test_another_site_cannot_log_in_and_a_foreign_host_is_refused_first(
    locked: TestClient,
) -> None:
    data = {"token": TOKEN}
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert locked.post("/login", data=data, headers=headers).status_code == 403
    headers = {"Host": "evil.example", "Authorization": f"Bearer {TOKEN}"}
    assert locked.get("/", headers=headers).status_code == 403


def test_another_address_needs_a_token_and_a_name() -> None:
    with pytest.raises(ConfigError, match="--token-file"):
        ServeOptions(port=0, host="0.0.0.0")  # noqa: S104 - what is to be refused
    with pytest.raises(ConfigError, match="--allow-host NAME"):
        ServeOptions(port=0, host="192.0.2.1", token_file=Path("token"))
    with pytest.raises(ConfigError, match="--token-file"):
        ServeOptions(port=0, allow_host=("audits.example",))


def test_a_token_is_made_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "token"
    made = open_token(file)
    assert len(made) >= 43  # 256 bits
    assert file.stat().st_mode & 0o777 == 0o600
    assert open_token(file) == made
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        open_token(file)
    file.chmod(0o600)
    file.write_text("secret\n")
    with pytest.raises(ConfigError, match="at least 22"):
        open_token(file)


WRITES = (
    ("/selections", {"name": "mine", "saved_as": "slice", "where": "time = night"}),
    ("/labels", {"sample_id": "s001", "attribute": "time", "answer": "right"}),
    ("/undo", {"back": "/"}),
    ("/selections/remove", {"name": "mine"}),
)


@pytest.mark.parametrize(("path", "form"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {},
    ],
    ids=str,
)
def test_another_site_cannot_write(
    client: TestClient, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    assert client.post(path, data=form, headers=headers).status_code == 403
    assert client.get("/api/v1/selections").json() == {"selections": []}


def test_read_only_refuses_every_write(tmp_path: Path) -> None:
    client = make_client(tmp_path, read_only=True)
    for path, form in WRITES:
        answer = client.post(path, data=form, headers={"Origin": OWN})
        assert (answer.status_code, "--read-only" in answer.text) == (403, True)
    assert not (tmp_path / "workspace" / "selections").exists()
    assert not (tmp_path / "workspace" / "checks").exists()


def test_pictures_that_are_sent_are_bounded(client: TestClient) -> None:
    own = {"Origin": OWN, "Content-Type": "image/png"}
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    for data, status, words in (
        (b"", 400, "no picture"),
        (b"GIF89a nothing", 400, "cannot be used"),
        (bomb.getvalue(), 400, "pixels"),
        (b"\0" * (20 * 1024 * 1024 + 1), 413, "more than"),
    ):
        answer = client.post("/api/v1/search", content=data, headers=own)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
    text = {"Origin": OWN, "Content-Type": "text/plain"}
    assert client.post("/api/v1/search", content=b"x", headers=text).status_code == 415
    form = {"name": "a", "saved_as": "slice", "where": "x" * 600_000}
    answer = client.post("/selections", data=form, headers={"Origin": OWN})
    assert answer.status_code == 413
