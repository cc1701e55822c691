"""Reports are kept by run, and a page lists the runs."""

import re
from pathlib import Path

import pytest

from flows.stages.reporting.history import list_kept, locate_page
from pipeline.config.report import ReportConfig
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit


def read_links(page: Path) -> list[str]:
    return re.findall(r'href="(runs/[^"]+)"', page.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_reports_are_kept_by_run_under_a_rule(small_audit: SmallAudit) -> None:
    small_audit.edit("[slices]", "[report]\nkeep = 2\n[slices]")
    report = small_audit.folder / "report"
    first = run_directly(small_audit.config).run_id
    kept = report / "runs" / first / "index.html"
    assert f'href="runs/{first}/' in (report / "index.html").read_text(encoding="utf-8")
    written = kept.stat().st_mtime_ns
    (report / "runs" / "mine").mkdir()  # a folder of the user's own

    second = run_directly(small_audit.config, again=True).run_id
    assert kept.stat().st_mtime_ns == written  # no other report is touched
    assert read_links(report / "history.html") == [
        f"runs/{second}/index.html", f"runs/{first}/index.html",
    ]  # fmt: skip

    third = run_directly(small_audit.config, again=True).run_id
    assert [path.name for path in list_kept(report)] == [third, second]
    assert (report / "runs" / "mine").exists()
    history = (report / "history.html").read_text(encoding="utf-8")
    assert read_links(report / "history.html") == [
        f"runs/{third}/index.html", f"runs/{second}/index.html",
    ]  # fmt: skip
    followed, listed = history.split("<h3>Runs</h3>")
    assert listed.count('<th scope="row">') == 3  # the first is listed without its report
    assert "still there" in followed
    assert "3 of 3" in followed
    assert 'href="history.html"' in (report / "index.html").read_text(encoding="utf-8")

    run_directly(small_audit.config, limit=80)  # has a page of its own, and no history
    assert [path.name for path in list_kept(report)] == [third, second]
    assert history == (report / "history.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_no_earlier_ones_are_kept_where_the_rule_says_so(small_audit: SmallAudit) -> None:
    small_audit.edit("[slices]", "[report]\nkeep = 0\n[slices]")
    run_directly(small_audit.config)
    last = run_directly(small_audit.config, again=True).run_id
    report = small_audit.folder / "report"
    assert sorted(path.name for path in report.iterdir()) == ["history.html", "index.html", "runs"]
    assert [path.name for path in list_kept(report)] == [last]


def test_a_page_has_its_address_under_the_base_url(tmp_path: Path) -> None:
    page = tmp_path / "limited" / "index.html"
    bare = ReportConfig(folder=tmp_path)
    served = ReportConfig(folder=tmp_path, base_url="https://audits.example.org/my%20models/")
    assert locate_page(bare, page) == page.as_uri()
    expected = "https://audits.example.org/my%20models/limited/index.html"
    assert locate_page(served, page) == expected
