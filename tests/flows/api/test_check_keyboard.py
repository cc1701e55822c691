"""The page as a person uses it: by keyboard, in a browser, with a server that dies meanwhile."""

import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.vocabulary import CANNOT_SAY, RIGHT, WRONG
from pipeline.workspace.kept.kept_checks import read_checks
from tests.flows.api.browser import Browser, needs_chromium, open_browser
from tests.flows.api.check_examples import COUNT, VALUES
from tests.flows.api.served import serve_checks

QUESTION = "document.querySelector('#question').textContent"
TOTAL = COUNT * len(VALUES)


def answered(browser: Browser) -> int:
    return int(browser.run("document.querySelector('progress').value"))


def press(browser: Browser, key: str, *, count: int) -> None:
    """Press a key and wait until the page shows so many answers and its picture."""
    browser.press(key)
    browser.wait_for(
        f"document.querySelector('progress')?.value === {count} && !busy"
        " && document.querySelector('img.shown').complete"
    )


@pytest.mark.slow
@needs_chromium
def test_a_session_by_keyboard_survives_reloads_and_a_killed_server(tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser:
        with serve_checks(tmp_path / "work") as served:
            browser.open(served.address)
            for number, key in enumerate("yn?1 0yyny"):
                assert answered(browser) == number
                press(browser, key, count=number + 1)
            assert browser.run(QUESTION) == "hat: yes?"  # the eleventh image
            browser.call("Page.reload")
            browser.wait_for(f"document.querySelector('progress')?.value === {10}")
            assert served.end(signal.SIGKILL) == -signal.SIGKILL
        browser.press("y")
        browser.wait_for("document.querySelector('#notice').hidden === false")
        assert "does not answer" in browser.run("document.querySelector('#notice').textContent")
        refused = browser.errors.copy()
        assert all(
            "net::ERR_" in error for error in refused
        )  # requests alone, no fault of the script
        port = urlsplit(served.address).port
        assert port is not None
        with serve_checks(tmp_path / "work", port=port) as served:
            browser.open(served.address)
            assert answered(browser) == 10
            press(browser, "y", count=11)
            press(browser, "u", count=10)
            press(browser, "u", count=9)
            press(browser, "n", count=10)
            for count in range(10, TOTAL - COUNT):
                press(browser, "y", count=count + 1)
            pick_values(browser)
            assert served.end(signal.SIGINT) == 0
        assert browser.errors == refused
        assert {urlsplit(url).netloc for url in browser.asked} == {f"127.0.0.1:{port}"}
    answers = read_checks(tmp_path / "work")
    words = [RIGHT, WRONG, CANNOT_SAY, RIGHT, CANNOT_SAY, WRONG, RIGHT, RIGHT, WRONG, WRONG]
    hats = answers.filter(attribute="hat").sort("sample_id")
    assert hats["answer"].to_list() == [*words, RIGHT, RIGHT]
    assert answers.height == TOTAL


def pick_values(browser: Browser) -> None:
    """Answer about the attribute of four values, and reach the last page."""
    count = COUNT
    assert browser.run(QUESTION) == "hair: short?"
    browser.press("n")
    browser.wait_for(f"{QUESTION} === 'hair: not short, but?' && !busy")
    browser.press("Escape")
    browser.wait_for(f"{QUESTION} === 'hair: short?' && !busy")
    for key in ("2", "Enter", "?"):  # long; not known which; cannot say
        browser.press("n")
        browser.wait_for(f"{QUESTION}.endsWith('but?') && !busy")
        count += 1
        press(browser, key, count=count)
    started = time.monotonic()
    for after in range(count + 1, TOTAL):
        press(browser, "y", count=after)
    assert time.monotonic() - started < 0.5 * (TOTAL - 1 - count)  # two images a second
    browser.press("y")
    browser.wait_for(f"{QUESTION}.startsWith('All {TOTAL}') && !busy")
    text = browser.run("document.body.textContent")
    assert "weakspot run audit.toml" in text
    assert "How many labels are right" in text


@pytest.mark.slow
@needs_chromium
def test_a_held_key_answers_once(tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser, serve_checks(tmp_path / "work") as served:
        browser.open(served.address)
        hold(browser, again=False)
        browser.wait_for("document.querySelector('progress').value === 1 && !busy")
        for _ in range(5):
            hold(browser, again=True)
            browser.wait_for("!busy")
        assert answered(browser) == 1
    assert read_checks(tmp_path / "work").height == 1


def hold(browser: Browser, *, again: bool) -> None:
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="y", text="y",
                 windowsVirtualKeyCode=89, autoRepeat=again)  # fmt: skip


@pytest.mark.slow
@needs_chromium
def test_a_key_before_the_picture_is_seen_is_no_answer(tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser, serve_checks(tmp_path / "work") as served:
        browser.open(served.address)
        browser.call("Network.setCacheDisabled", cacheDisabled=True)
        browser.call("Fetch.enable", patterns=[{"urlPattern": "*/images/*"}])
        browser.press("y")
        browser.wait_for("document.querySelector('progress').value === 1")
        assert browser.run("busy && !document.querySelector('img.shown').complete")
        browser.press("y")
        browser.press("n")
        for request in browser.paused:
            browser.call("Fetch.continueRequest", requestId=request)
        browser.call("Fetch.disable")
        browser.wait_for("!busy")
        press(browser, "n", count=2)
    assert read_checks(tmp_path / "work")["answer"].to_list() == [RIGHT, WRONG]


@pytest.mark.slow
@needs_chromium
def test_the_page_works_without_its_script(tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser, serve_checks(tmp_path / "work") as served:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(served.address)
        for count in range(3):
            click(browser, "[data-keys~='y']")
            browser.wait_for(f"document.querySelector('progress')?.value === {count + 1}")
        click(browser, "[data-keys~='u']")
        browser.wait_for("document.querySelector('progress')?.value === 2")
        assert browser.errors == []
    assert read_checks(tmp_path / "work")["answer"].to_list() == [RIGHT, RIGHT]


def click(browser: Browser, selector: str) -> None:
    """Click with the mouse in the middle of an element."""
    x, y = browser.run(
        f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
        f'(document.querySelector("{selector}").getBoundingClientRect())'
    )
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(width: int, tmp_path: Path, *, dark: bool) -> None:
    with open_browser(tmp_path) as browser, serve_checks(tmp_path / "work", "--objects") as served:
        browser.show(width, 900, dark=dark)
        browser.open(served.address)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.run(over) == 0
        paper = browser.run("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(22, 24, 27)") == dark
        bottom = "document.querySelector('[data-keys~=\"?\"]').getBoundingClientRect().bottom"
        assert browser.run(bottom) < 900  # all answers are in view
        assert browser.errors == []
