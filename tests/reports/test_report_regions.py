"""What the page says of weak regions: searched or not, found or none, held out or not."""

from typing import Any

from pipeline.tables import REGIONS, empty
from reports.pages.report_page import build_report
from tests.reports.report_examples import make_report_data, make_system, make_table

REGION: dict[str, Any] = {
    "rank": 1, "n": 347, "images": 308, "error": 0.441, "rest_error": 0.153,
    "expected_error": 0.228, "difference": 0.213, "ci_low": 0.16, "ci_high": 0.27, "z": 9.4,
    "p": 1e-20, "q": 1e-17, "p_family": 0.01, "shape": "direction", "state": "confirmed",
    "folded": 0, "words": [{"word": "a person with a helmet", "effect": 2.1},
                           {"word": "<b>a lamp</b>", "effect": 1.4}],
    "values": [{"attribute": "time", "value": "night", "share": 0.839, "rest_share": 0.323,
                "lift": 2.3}],
    "typical": ["a"], "failing": ["b"], "draft_kind": "prompts", "draft_fit": 0.83, "draft": "x",
}  # fmt: skip
TITLE = "Weak regions that no attribute names"


def write_page(**changes: Any) -> str:
    return build_report(make_report_data(systems=(make_system(**changes),)))


def make_regions(**changes: Any) -> Any:
    return make_table([REGION | changes], REGIONS)


def test_nothing_is_said_where_nothing_was_searched() -> None:
    assert TITLE not in write_page()


def test_none_found_is_said() -> None:
    page = write_page(regions=empty(REGIONS))
    assert TITLE in page
    assert "None was found" in page


def test_a_region_comes_with_words_values_and_numbers() -> None:
    page = write_page(regions=make_regions())
    for text in ("a person with a helmet", "44.1%", "explain 22.8%", "83.9%", "--draft 1",
                 "family-wise p", "by prompts"):  # fmt: skip
        assert text in page
    assert "<b>a lamp</b>" not in page
    assert "Held out: samples in the region" not in page


def test_held_out_numbers_are_shown() -> None:
    held = {"holdout_n": 170, "holdout_error": 0.42, "holdout_expected": 0.22, "holdout_p": 1e-6}
    page = write_page(regions=make_regions(**held, state="likely", draft_kind="given"))
    for text in ("held-out p", "Held out: samples in the region", "by its samples"):
        assert text in page
