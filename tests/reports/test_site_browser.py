"""The site in Chromium from file://: scripts on and off, sorting, filtering, keyboard, widths."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.api.browser import Browser, needs_chromium, open_browser
from tests.reports.report_examples import make_hostile_text
from tests.reports.site_examples import make_site, write_example
from tests.reports.test_report_escaping import fill_with

pytestmark = [pytest.mark.slow, needs_chromium]
PAGES = (
    "index.html", "systems/1.html", "findings/1-1.html", "attributes/1.html", "attributes.html",
    "fairness.html", "coverage.html", "labels.html", "rejects.html", "method.html",
)  # fmt: skip
# What ends outside the window, but for what lies in a box that scrolls.
TOO_WIDE = """[...document.body.querySelectorAll("*")].filter(element =>
  element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5
  && !element.closest(".visually-hidden, .skip, dialog")
  && !element.parentElement.closest(".scroll, pre")).map(e => e.tagName + "." + e.className)"""
ORDER = """[...document.querySelectorAll("table.findings tbody tr:not([hidden]) td.rank")]
  .map(cell => cell.textContent.trim()).join(" ")"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example(make_site(), tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def open_page(browser: Browser, page: Path) -> None:
    browser.asked.clear()
    browser.errors.clear()
    browser.open(page.as_uri())


def assert_quiet(browser: Browser) -> None:
    """Nothing but files was asked for, and no page complained."""
    assert browser.errors == []
    assert [url for url in browser.asked if not url.startswith(("file://", "data:"))] == []


@pytest.mark.parametrize("scripts", ["on", "off"])
def test_every_page_opens_without_a_complaint_or_a_request(
    browser: Browser, site: Path, scripts: str
) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=scripts == "off")
    try:
        for name in PAGES:
            open_page(browser, site / name)
            assert browser.run("document.querySelector('main').innerText.length") > 50, name
            assert_quiet(browser)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_pictures_beside_the_page_are_shown(browser: Browser, site: Path) -> None:
    open_page(browser, site / "findings/1-1.html")
    browser.wait_for("document.querySelector('.gallery img').naturalWidth === 64")
    assert_quiet(browser)


def test_findings_are_sorted_and_filtered(browser: Browser, site: Path) -> None:
    open_page(browser, site / "index.html")
    assert browser.run(ORDER) == "1 2 3"
    head = "document.querySelector('th[data-sort=\"0\"] button')"
    browser.run(f"{head}.click()")  # the largest number first
    assert browser.run(ORDER) == "3 2 1"
    assert browser.run(f"{head}.parentElement.getAttribute('aria-sort')") == "descending"
    browser.run(f"{head}.click()")
    assert browser.run(ORDER) == "1 2 3"
    browser.run("document.querySelector('.controls input').focus()")
    for key in "eyeglasses":
        browser.press(key)
    browser.wait_for(f"{ORDER} === '2'")
    assert browser.run("document.querySelector('.controls output').textContent") == "1 shown"
    assert_quiet(browser)


def test_a_finding_is_opened_and_left_by_keyboard(browser: Browser, site: Path) -> None:
    open_page(browser, site / "index.html")
    browser.run("document.querySelector('table.findings tbody a').focus()")
    browser.press("Enter")
    browser.wait_for("location.pathname.endsWith('findings/1-1.html')")
    browser.wait_for("document.readyState === 'complete'")
    browser.run("document.querySelector('a.open').focus()")
    browser.press("Enter")
    browser.wait_for("document.querySelector('#lightbox').open")
    shown = "document.querySelector('#lightbox figcaption').innerText"
    first = browser.run(shown)
    browser.press("ArrowRight")
    browser.wait_for(f"{shown} !== {first!r}")
    browser.press("+")
    browser.wait_for("document.querySelector('.stage').className === 'stage zoom-2'")
    assert browser.run("document.querySelectorAll('#lightbox svg.boxes rect').length") == 2
    browser.press("Escape")
    browser.wait_for("!document.querySelector('#lightbox').open")
    assert browser.run("document.activeElement.className") == "open"
    assert_quiet(browser)


def test_without_scripts_a_thumbnail_leads_to_its_whole_image(browser: Browser, site: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        open_page(browser, site / "findings/1-1.html")
        anchor = browser.run("document.querySelector('a.open').getAttribute('href')")
        browser.open((site / "findings/1-1.html").as_uri() + anchor)
        browser.wait_for(f"document.querySelector('{anchor}').getBoundingClientRect().height > 50")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [400, 760, 1000, 1280, 2560])
def test_nothing_ends_outside_the_window(browser: Browser, site: Path, width: int) -> None:
    for dark in (False, True):
        browser.show(width, 900, dark=dark)
        for name in PAGES:
            open_page(browser, site / name)
            browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            assert browser.run(TOO_WIDE) == [], name
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert browser.run(over) == 0, name


def test_nothing_is_cut_off_on_paper(browser: Browser, site: Path) -> None:
    browser.show(700, 900, dark=False)  # A4 less its margins, at 96 pixels an inch
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        for name in ("index.html", "findings/1-1.html", "systems/1.html"):
            open_page(browser, site / name)
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert browser.run(over) == 0, name
            assert browser.run(TOO_WIDE) == [], name
        browser.run("document.querySelector('main').append(document.createElement('hr'))")
        browser.run("document.querySelector('main > hr').style.width = '900px'")
        assert browser.run(TOO_WIDE) == ["HR."]  # what is too wide is seen
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    for kind, text in make_hostile_text().items():
        index = write_example(make_site(report=fill_with(text), text=text), tmp_path / kind)
        for name in ("index.html", "findings/1-1.html", "attributes/1.html", "method.html"):
            open_page(browser, index.parent / name)
            assert browser.run("document.querySelectorAll('img[onerror], script').length") == 1
            assert_quiet(browser)
