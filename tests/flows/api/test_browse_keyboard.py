"""From a finding to an attribute in the next report: by keys alone, and by forms alone."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from flows.run.resolved_audit import resolve_audit
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.store import Store
from reports.pages.check_page import BEHAVIOR
from tests.flows.api.browse_examples import OWN, serve_source
from tests.flows.api.browse_served import serve_folder
from tests.flows.api.browser import Browser, needs_chromium, open_browser
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit

CURRENT = "document.querySelector('.current')"


def go(browser: Browser, key: str, path: str) -> None:
    """Press a key and wait for the page that it leads to."""
    browser.press(key)
    browser.wait_for(
        f"(location.pathname + location.search).includes({path!r})"
        " && document.readyState === 'complete'"
    )


@pytest.mark.slow
@needs_chromium
def test_by_keys_alone_a_finding_becomes_an_attribute_of_the_next_report(
    finished_audit: SmallAudit, tmp_path: Path
) -> None:
    workspace = finished_audit.folder / "workspace"
    with serve_folder(workspace) as served, open_browser(tmp_path) as browser:
        browser.open(served.address)
        browser.press("j")
        browser.wait_for(f"{CURRENT} !== null")
        go(browser, "Enter", "/findings/1")
        browser.press("j")
        browser.press("j")
        browser.press("k")
        go(browser, "Enter", "/samples/")
        browser.press("j")  # the first label
        browser.press("1")
        browser.wait_for("document.querySelector('output').textContent === 'kept: Right'")
        assert read_checks(workspace)["answer"].to_list() == ["right"]
        browser.press("u")
        browser.wait_for("document.readyState === 'complete'")
        go(browser, "m", "like=")
        browser.press("/")
        browser.wait_for("document.activeElement.name === 'text'")
        for letter in "a dark scene":
            browser.press(letter)
        go(browser, "Enter", "text=a+dark+scene")
        for _ in range(3):
            browser.press("j")
            browser.press("x")
        assert browser.run("document.querySelectorAll('[data-pick]:checked').length") == 3
        browser.press("s")
        browser.wait_for("document.activeElement.name === 'name'")
        for letter in "gloomy":
            browser.press(letter)
        go(browser, "Enter", "/selections")
        browser.call("Page.reload")
        browser.wait_for("document.querySelector('#gloomy') !== null")
        assert browser.errors == []
        assert all(address.startswith((served.address, "data:")) for address in browser.asked)
        assert read_checks(workspace).is_empty()
        run_directly(finished_audit.config)
        browser.wait_for(
            "fetch('/api/v1/attributes').then(r => r.json())"
            ".then(found => found.attributes.some(one => one.name === 'gloomy'))"
        )
    report = finished_audit.folder / "report" / "index.html"
    pages = [path.read_text(encoding="utf-8") for path in report.parent.rglob("*.html")]
    assert any("gloomy" in page for page in pages)


@pytest.mark.slow
def test_labels_are_drawn_and_checked_on_the_same_server(finished_audit: SmallAudit) -> None:
    store = Store(finished_audit.folder / "workspace")
    client = serve_source(SnapshotSource(store))
    page = client.get("/checks")
    assert page.headers["content-security-policy"].startswith(BEHAVIOR.policy)
    draw = re.search(r'name="draw" value="([^"]+)"', page.text)
    assert draw is not None
    form = {"draw": draw[1], "question": "0", "answer": "right"}
    answer = client.post("/checks/answers", data=form, headers={"Origin": OWN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/checks")
    assert client.post("/checks/answers", data=form).status_code == 403
    checks = read_checks(store.folder)
    assert (checks["answer"].to_list(), checks["draw"].to_list()) == (["right"], ["value"])
    assert 'href="/"' in page.text
    closed = serve_source(SnapshotSource(store, keep=False), read_only=True)
    assert closed.get("/checks").status_code == 403


def find_link(page: str, pattern: str) -> str:
    found = re.search(rf'href="({pattern})"', page)
    assert found, page[-3000:]
    return found[1].replace("&amp;", "&")


def read_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the form that saves."""
    form = page.split('id="save"')[1].split("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


@pytest.mark.slow
def test_by_links_and_forms_alone_a_view_becomes_an_attribute(finished_audit: SmallAudit) -> None:
    store = Store(finished_audit.folder / "workspace")
    client: TestClient = serve_source(SnapshotSource(store))
    findings = client.get("/").text
    finding = client.get(find_link(findings, r"/findings/1[^\"]*")).text
    sample = client.get(find_link(finding, r"/samples/[0-9a-f]+[^\"]*")).text
    near = client.get(find_link(sample, r"/samples\?like=[^\"]*")).text
    picked = re.findall(r'name="(pick-[0-9a-f]+)"', near)[:4]
    fields = {**read_fields(near), **dict.fromkeys(picked, "1")}
    answer = client.post(
        "/selections", headers={"Origin": OWN},
        data={**fields, "name": "alike", "saved_as": "attribute"},
    )  # fmt: skip
    assert (answer.status_code, unquote(answer.headers["location"])) == (303, "/selections#alike")
    assert "4 samples picked by hand" in client.get("/selections").text
    resolved = resolve_audit(finished_audit.config)
    assert [one.attribute.name for one in resolved.saved] == ["alike"]
    answer = client.post("/undo", data={"back": "/selections"}, headers={"Origin": OWN})
    assert answer.headers["location"] == "/selections"
    assert "alike" not in client.get("/selections").text
    assert resolve_audit(finished_audit.config).saved == ()
    answer = client.post("/undo", data={"back": "//evil.example"}, headers={"Origin": OWN})
    assert answer.headers["location"] == "/"
