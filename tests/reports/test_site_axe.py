"""axe-core finds nothing serious on any page of the site.

It is not a dependency: `npm pack axe-core`, unpack it, and name its file in AXE_CORE.
"""

import json
import os
from pathlib import Path

import pytest

from tests.flows.api.browser import needs_chromium, open_browser
from tests.reports.site_examples import make_site, write_example

AXE = os.environ.get("AXE_CORE", "")
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify(
  found.violations.map(one => [one.impact, one.id, one.nodes[0].html])))"""


@pytest.mark.slow
@needs_chromium
@pytest.mark.skipif(not AXE, reason="AXE_CORE names no axe.min.js; npm pack axe-core has it")
def test_no_page_has_a_serious_fault(tmp_path: Path) -> None:
    source = Path(AXE).read_text(encoding="utf-8")
    folder = write_example(make_site(), tmp_path / "site").parent
    serious = []
    with open_browser(tmp_path / "browser") as browser:
        for page in sorted(folder.rglob("*.html")):
            for dark in (False, True):
                browser.show(1280, 900, dark=dark)
                browser.open(page.as_uri())
                browser.call("Runtime.evaluate", expression=source)
                found = json.loads(browser.run(RUN))
                serious += [(page.name, *one) for one in found if one[0] in {"serious", "critical"}]
    assert serious == []
