import polars as pl
import pytest

from pipeline.exceptions import TableError
from pipeline.tables import COLLECTION, COMBINATIONS, empty
from reports.models import DomainReport
from reports.pages.report_page import build_report
from tests.reports.fairness_examples import make_combinations, make_domain
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_predicates, make_report_data, make_table

TWO = {"hat": ["yes", "no"], "weather": ["sun", "fog"]}


def read_words(domain: DomainReport) -> str:
    page = read_page(build_report(make_report_data(domain=domain)))
    assert page.faults == []
    return page.words


def test_combinations_are_counted_by_state() -> None:
    words = read_words(make_domain(TWO))
    assert "Of 4 pairs of values, 2 have at least 30 images, 1 has fewer and 1 has none." in words


def test_map_shows_every_count_in_its_place_and_marks_what_lacks_in_words() -> None:
    words = read_words(make_domain(TWO))
    assert "hat and weather: 2 missing or rare sun fog yes 85 0missing no 1,900 12rare" in words


def test_shade_grows_with_the_count_and_is_a_class_not_a_style() -> None:
    page = read_page(build_report(make_report_data(domain=make_domain(TWO))))
    shades = [
        (cell.attributes.get("class") or "").split()
        for cell in page.select("td")
        if "shade-" in (cell.attributes.get("class") or "")
    ]
    assert shades == [
        ["shade-3", "covered"], ["shade-0", "missing"], ["shade-5", "covered"], ["shade-2", "rare"],
    ]  # fmt: skip


def test_missing_combinations_are_listed_before_rare_ones_with_what_was_expected() -> None:
    words = read_words(make_domain(TWO))
    assert "hat = yes and weather = fog 0 40 missing hat = no and weather = fog 12 40 rare" in words


def test_what_to_collect_next_is_listed_with_what_it_helps() -> None:
    words = read_words(make_domain())
    assert "age = child and hat = yes and weather = fog 30 3 weather = snow 18 1" in words


def test_twenty_attributes_show_six_maps_and_say_what_was_left_out() -> None:
    values = {f"a{index:02}": ["1", "2", "3", "4"] for index in range(20)}
    text = build_report(make_report_data(domain=make_domain(values)))
    page = read_page(text)
    maps = [t for t in page.select("table") if t.attributes.get("class") == "map"]
    assert len(maps) == 6
    assert "Shown are the 6 of 190 pairs of attributes that lack most combinations" in page.words
    assert "1,320 more are not on this page" in page.words
    assert len(text.encode()) < 700_000


def test_attributes_with_many_values_have_no_map_but_are_listed() -> None:
    values = {"category": [f"c{index}" for index in range(40)], "hat": ["yes", "no"]}
    words = read_words(make_domain(values))
    assert "1 with more than 16 values of an attribute have no map" in words
    assert "category = c0 and hat = no" in words


def test_complete_domain_lists_nothing() -> None:
    covered = make_combinations(TWO).with_columns(n=100, state=pl.lit("covered"))
    plan = empty(COLLECTION)
    words = read_words(make_domain(TWO, combinations=covered, collect_next=plan))
    assert "Nothing is missing." in words
    assert "What to collect next" not in words
    assert "all covered" in words


@pytest.mark.parametrize(("level", "kind"), [(1, "values"), (3, "triples of values")])
def test_other_levels_have_a_list_and_no_map(level: int, kind: str) -> None:
    pairs = [("a", "x"), ("b", "y"), ("c", "z")][:level]
    row = {"predicates": make_predicates(*pairs), "n": 4, "expected": None, "state": "rare"}
    domain = make_domain(
        {"a": ["x"]}, level=level, combinations=make_table([row], COMBINATIONS),
    )  # fmt: skip
    words = read_words(domain)
    assert f"Of 1 {kind}, 0 have" in words
    assert "The stronger the shade" not in words


def test_pairs_given_beside_triples_make_the_maps() -> None:
    row = {"predicates": make_predicates(("a", "x"), ("b", "y"), ("c", "z")), "n": 4}
    triples = make_table([{**row, "state": "rare"}], COMBINATIONS)
    domain = make_domain(TWO, level=3, combinations=triples, pairs=make_combinations(TWO))
    assert "hat and weather: 2 missing or rare" in read_words(domain)


def test_nothing_counted_is_said_plainly() -> None:
    domain = make_domain({}, combinations=empty(COMBINATIONS), collect_next=empty(COLLECTION))
    assert "No combination of attribute values was counted." in read_words(domain)


def test_frame_without_its_columns_is_named() -> None:
    domain = make_domain(TWO, collect_next=pl.DataFrame({"missing": [1]}))
    with pytest.raises(TableError, match=r"(?s)collect_next.*'covers' is missing"):
        build_report(make_report_data(domain=domain))
