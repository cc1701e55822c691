import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.pages.report_page import build_report
from tests.reports.detector_examples import make_detector
from tests.reports.fairness_examples import make_domain, make_fairness, make_sweep, make_verdicts
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_hostile_text, make_report_data, make_system
from tests.reports.test_report_escaping import fill_with

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
WIDTHS = (400, 1280)  # a phone and a laptop, in pixels
# The page, policy and all, lies in a frame of one of these widths; the window around it measures.
# Boxes that scroll may hold wide things; everything else must end inside the frame.
WINDOW = """<!DOCTYPE html>
<iframe width="WIDTH" height="900" style="border: 0" srcdoc="PAGE"></iframe>
<script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  page.querySelectorAll("details").forEach(details => { details.open = true; });
  const width = page.defaultView.innerWidth;
  const elements = [...page.body.querySelectorAll("*")];
  const wide = elements.filter(element =>
    element.getBoundingClientRect().right > page.documentElement.clientWidth + 0.5
    && !element.parentElement.closest(".scroll, pre"));
  const names = wide.map(element => element.tagName + "." + element.getAttribute("class"));
  const found = {width, wide: names, elements: elements.length,
    over: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    styled: getComputedStyle(page.querySelector("h1")).marginTop === "0px"};
  document.body.innerHTML = "<output></output>";
  document.querySelector("output").textContent = JSON.stringify(found);
});
</script>"""
PAGES = {
    "none": make_report_data(0),
    "fifteen": make_report_data(15),
    "several": make_report_data(systems=(make_system(2), make_system(1, name="second"))),
    "groups": make_report_data(
        systems=(make_system(1, sweeps={1: make_sweep()}, detector=make_detector()),),
        fairness=(make_fairness(verdicts=make_verdicts("fail", "pass")),),
        domain=make_domain(),
    ),
    "long": fill_with(make_hostile_text()["long"]),
}


def open_browser(window: str, folder: Path, *options: str) -> str:
    """Load a page without a screen; return what the browser prints."""
    path = folder / "window.html"
    path.write_text(window, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={folder / 'profile'}",
        *options, path.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def measure(text: str, folder: Path, *, width: int = 400) -> dict[str, object]:
    """Lay the page out so many pixels wide, all details open; return what sticks out."""
    window = WINDOW.replace("WIDTH", str(width)).replace("PAGE", html.escape(text))
    done = open_browser(window, folder, f"--window-size={width + 400},1000", "--dump-dom")
    words = read_page(done).words
    found: dict[str, object] = json.loads(words[words.index("{") :])
    return found


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", list(PAGES))
def test_nothing_is_wider_than_the_window(name: str, width: int, tmp_path: Path) -> None:
    found = measure(build_report(PAGES[name]), tmp_path, width=width)
    elements = found.pop("elements")
    assert isinstance(elements, int)
    assert elements > 100
    assert found == {"width": width, "wide": [], "over": 0, "styled": True}


@pytest.mark.slow
@needs_chromium
def test_measuring_sees_what_is_too_wide(tmp_path: Path) -> None:
    bare = build_report(PAGES["none"]).replace("</body>", '<svg width="900"></svg></body>')
    found = measure(bare, tmp_path)
    assert found["wide"] == ["svg.null"]
    assert found["over"] != 0


# Only the first table that is wider than the window stays, at the top, scrolled by so much.
ONE_TABLE = """<!DOCTYPE html>
<body style="margin: 0">
<iframe width="400" height="300" style="border: 0" srcdoc="PAGE"></iframe>
<script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  page.querySelectorAll("details").forEach(details => { details.open = true; });
  const table = [...page.querySelectorAll(".scroll")].find(box => box.scrollWidth > 600);
  page.body.replaceChildren(table);
  table.scrollLeft = SCROLLED;
});
</script>"""


def draw_edges(text: str, folder: Path, *, scrolled: int) -> tuple[int, int]:
    """Draw the table where scroll bars are hidden; return the lightest gray at its two edges."""
    window = ONE_TABLE.replace("SCROLLED", str(scrolled)).replace("PAGE", html.escape(text))
    picture = folder / "table.png"
    options = ("--window-size=800,300", "--hide-scrollbars", f"--screenshot={picture}")
    open_browser(window, folder, *options)
    gray = np.asarray(Image.open(picture).convert("L"))[60:100]  # rows of the table
    left, right = 17, 400 - 16 - 2  # inside the margins of the page
    return int(gray[:, left].max()), int(gray[:, right].max())


@pytest.mark.slow
@needs_chromium
def test_a_table_that_goes_on_is_shaded_at_that_edge(tmp_path: Path) -> None:
    """Phones and many laptops hide scroll bars: without a shade the table looks cut off."""
    text = build_report(PAGES["groups"])
    paper, shaded = 240, 225
    left, right = draw_edges(text, tmp_path, scrolled=0)
    assert (left > paper, right < shaded) == (True, True), (left, right)
    left, right = draw_edges(text, tmp_path, scrolled=100)
    assert (left < shaded, right < shaded) == (True, True), (left, right)
    left, right = draw_edges(text, tmp_path, scrolled=9999)
    assert (left < shaded, right > paper) == (True, True), (left, right)


def _read_colors(style: str) -> dict[str, dict[str, str]]:
    """Return the custom colors of both schemes."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\n\s*\}", style, re.DOTALL)[:2]
    )
    return {"light": light, "dark": {**light, **dark}}


def _luminance(color: str) -> float:
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_shapes_have_enough_contrast(scheme: str) -> None:
    """WCAG 2.2: 4.5 for text (1.4.3), 3 for shapes that carry meaning (1.4.11)."""
    style = re.search(r"<style>(.*?)</style>", build_report(make_report_data(0)), re.DOTALL)
    assert style is not None
    colors = _read_colors(style[1])[scheme]
    texts = [
        (ink, paper) for ink in ("ink", "soft", "accent", "link") for paper in ("paper", "card")
    ]
    texts += [("caution-ink", "caution"), ("on-confirmed", "confirmed")]
    texts += [("ink", f"shade-{shade}") for shade in range(1, 6)]
    assert {pair: _contrast(*(colors[name] for name in pair)) >= 4.5 for pair in texts} == (
        dict.fromkeys(texts, True)
    )
    shapes = [
        (shape, paper) for shape in ("accent", "rest", "share") for paper in ("paper", "card")
    ]
    assert {pair: _contrast(*(colors[name] for name in pair)) >= 3 for pair in shapes} == (
        dict.fromkeys(shapes, True)
    )
