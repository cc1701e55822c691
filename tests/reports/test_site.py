"""The site without a browser: its files, its links, its size, its languages, what it leaves out."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urldefrag

import duckdb
import polars as pl
import pytest

from pipeline.tables import COVERAGE
from reports.pages.site.site import Site
from reports.parts.catalogue import list_languages, read_catalogue
from reports.site_models import FindingEvidence, SiteData
from reports.views.site.finding_evidence import write_filter
from tests.reports.page_reader import Page, read_page
from tests.reports.report_examples import (
    make_hostile_text,
    make_report_data,
    make_system,
    make_table,
)
from tests.reports.site_examples import make_evidence, make_site
from tests.reports.test_report_escaping import fill_with


def build(site: SiteData) -> dict[str, bytes]:
    return dict(Site(site).build())


def read_pages(files: dict[str, bytes]) -> dict[str, Page]:
    return {name: read_page(data.decode()) for name, data in files.items() if name.endswith("html")}


def test_every_page_is_well_formed_and_accessible() -> None:
    for name, page in read_pages(build(make_site())).items():
        assert page.faults == [], name
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), name
        levels = [int(element.tag[1]) for element in page.select("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1, name
        assert levels[0] == 1, name
        assert all(after - before <= 1 for before, after in pairwise(levels)), (name, levels)
        assert all(cell.attributes.get("scope") for cell in page.select("th")), name
        assert all("alt" in image.attributes for image in page.select("img")), name


def test_every_link_leads_to_a_file_and_an_id_of_the_site() -> None:
    files = build(make_site())
    pages = read_pages(files)
    ids = {name: {e.attributes.get("id") for e in page.elements} for name, page in pages.items()}
    for name, page in pages.items():
        for address in page.addresses:
            path, anchor = urldefrag(address)
            place = PurePosixPath(name).parent
            target = name if not path else str(place / path)
            while "../" in target:
                target = re.sub(r"(^|[^/]+/)\.\./", "", target, count=1)
            assert target in files, (name, address)
            assert not anchor or anchor in ids[target], (name, address)
            assert "://" not in address


def test_the_index_may_lie_outside_the_folder_it_leads_to() -> None:
    page = read_page(Site(make_site()).build_index(folder="runs/one/"))
    for address in page.addresses:
        assert address.startswith(("runs/one/", "#")), address


def test_text_from_data_never_becomes_markup_on_any_page() -> None:
    def outline(text: str) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        site = make_site(report=fill_with(text), text=text)
        pages = read_pages(build(site))
        assert all(page.faults == [] for page in pages.values())
        return {
            name: [(element.tag, tuple(element.attributes)) for element in page.elements]
            for name, page in pages.items()
        }

    plain = outline("plain")
    texts = make_hostile_text()
    for kind in ("script", "quotes", "template", "entity", "rtl"):
        assert outline(texts[kind]) == plain, kind


def test_the_index_stays_small_whatever_is_behind_it() -> None:
    """A million samples change numbers alone; 2,000 findings and 3,000 values must not show."""
    values = [
        {"attribute": "place", "value": f"place {at}", "n": 333, "share": 333 / 1e6}
        for at in range(3000)
    ]
    findings = make_system(15).findings
    many = findings.sample(2000, with_replacement=True, seed=0)
    many = many.with_columns(pl.int_range(1, 2001, dtype=pl.Int64).alias("rank"))
    system = make_system(0, findings=many, n=1_000_000)
    report = make_report_data(
        systems=(system,), samples=1_000_000, coverage=make_table(values, COVERAGE)
    )
    index = Site(SiteData(report)).build_index()
    assert len(index.encode()) < 250_000
    assert index.count('role="rowheader"') == 15
    assert "1985 more are on the page" in index.replace(",", "")


def test_the_languages_have_the_same_keys_and_fill_the_same_names() -> None:
    assert list_languages() == ["de", "en"]
    english, german = read_catalogue("en"), read_catalogue("de")
    assert set(english) == set(german)
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", german[key])), key


def test_a_german_site_is_marked_as_german() -> None:
    index = read_pages(build(make_site(language="de")))["index.html"]
    assert index.select("html")[0].attributes["lang"] == "de"
    assert "Was als Nächstes zu tun ist" in index.words
    assert "Urteil" in index.words


def test_without_pictures_there_are_no_pixels() -> None:
    evidence = {
        key: replace(
            one,
            failing=tuple(replace(s, picture="", scene="", caption="") for s in one.failing),
            passing=(), near=(),
        )
        for key, one in make_site().findings.items()
    }  # fmt: skip
    changes: dict[str, Any] = {"findings": evidence, "attributes": {}, "pictures": {},
                               "false_detections": {}}  # fmt: skip
    files = build(make_site(thumbnails="none", file_names=False, **changes))
    assert not [name for name in files if not name.endswith((".html", ".csv", ".json"))]
    for name, page in read_pages(files).items():
        assert not page.select("img"), name
        assert "scene-" not in page.words, name
    assert "holds no pictures" in read_pages(files)["findings/1-1.html"].words


def test_the_filter_selects_what_the_finding_is_of() -> None:
    evidence = make_evidence(0)
    sql = write_filter(evidence).replace("'wide.parquet'", "rows")
    with duckdb.connect() as connection:
        connection.execute("""CREATE TABLE rows AS SELECT * FROM (VALUES
            ('a', 'yes', '1'), ('b', 'no', '1'), ('c', 'yes', '3'), ('d', 'yes', '2')
            ) AS t(id, hat, "it's")""")
        assert [row[0] for row in connection.sql(sql).fetchall()] == ["a", "d"]
    hostile = FindingEvidence(allowed=(('a"b', ("x' OR 1=1 --",)),))
    assert write_filter(hostile).endswith("""WHERE "a""b" = 'x'' OR 1=1 --'""")


def test_the_ids_of_a_finding_are_a_file() -> None:
    files = build(make_site(1))
    assert files["findings/1-1.csv"].decode().splitlines()[:2] == ["sample_id", "sample0000"]
    assert files["findings.json"] == b"{}"
    assert "findings.json" in read_pages(files)["method.html"].words


@pytest.mark.parametrize("part", ["default-src 'none'", "script-src 'sha256-", "img-src 'self'"])
def test_the_policy_of_a_page_is_strict(part: str) -> None:
    page = read_pages(build(make_site(1)))["findings/1-1.html"]
    policy = next(e.attributes["content"] or "" for e in page.select("meta")
                  if e.attributes.get("http-equiv"))  # fmt: skip
    assert part in policy
    assert "unsafe" not in policy
    assert not [e for e in page.elements if "style" in e.attributes]


def test_images_with_false_detections_are_on_the_page_of_the_system() -> None:
    page = read_pages(build(make_site(1)))["systems/1.html"]
    assert (
        "Images with a false detection at an overlap of 0.5, the best scores first background"
        in page.words
    )
    scene = page.select("figure")
    assert any(one.attributes.get("id") == "false-background-1" for one in scene)
