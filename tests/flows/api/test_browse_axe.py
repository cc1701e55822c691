"""The served pages in a browser: axe-core finds nothing serious, and none is wider than the window.

axe-core is not a dependency: `npm pack axe-core`, unpack it, and name its file in AXE_CORE.
"""

import json
import os
from pathlib import Path

import pytest

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.workspace.store import Store
from tests.flows.api.browse_served import serve_folder
from tests.flows.api.browser import needs_chromium, open_browser
from tests.flows.small_audit import SmallAudit

AXE = os.environ.get("AXE_CORE", "")
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify(
  found.violations.map(one => [one.impact, one.id, one.nodes[0].html])))"""
PAGES = (
    *("", "findings/1", "samples", "samples?where=tone+%3D+dark", "samples?where=tone+%3D"),
    *("samples/SAMPLE", "map", "regions", "groups", "attributes", "attributes/tone", "runs"),
    *("runs/compare", "selections", "checks", "nosuch"),
)
REFUSED = ("400", "404")  # what two of the pages are answered with


@pytest.mark.slow
@needs_chromium
def test_no_page_has_a_serious_fault_or_is_too_wide(
    finished_audit: SmallAudit, tmp_path: Path
) -> None:
    store = Store(finished_audit.folder / "workspace")
    sample = SnapshotSource(store).browser.snapshot.samples["sample_id"][0]
    source = Path(AXE).read_text(encoding="utf-8") if AXE else ""
    serious, wide = [], []
    with serve_folder(store.folder) as served, open_browser(tmp_path / "browser") as browser:
        for page in PAGES:
            browser.open(served.address + page.replace("SAMPLE", sample))
            for width, dark in ((1280, False), (1280, True), (400, False), (400, True)):
                browser.show(width, 900, dark=dark)
                if browser.run("document.documentElement.scrollWidth > innerWidth"):
                    wide.append((page, width))
                if source:
                    browser.call("Runtime.evaluate", expression=source)
                    found = json.loads(browser.run(RUN))
                    serious += [(page, *one) for one in found if one[0] in {"serious", "critical"}]
        errors = [one for one in browser.errors if not any(status in one for status in REFUSED)]
    assert serious == []
    assert wide == []
    assert errors == []
