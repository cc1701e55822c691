"""A change of what a report says is seen in a review: the texts are in `golden/`."""

import pytest

from tests.reports.golden import FOLDER, write_golden

GOLDEN = write_golden()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_report_says_what_it_said(name: str) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert GOLDEN[name] == kept, "look it through, then run `python -m tests.reports.golden`"


def test_they_are_small_enough_to_read() -> None:
    for name in GOLDEN:
        assert len((FOLDER / name).read_text(encoding="utf-8").splitlines()) < 300, name
