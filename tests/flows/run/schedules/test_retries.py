"""What is tried again, and what is not."""

import pytest

from flows.run.schedules.retries import try_again
from pipeline.exceptions import ConfigError


def count_tries(error: Exception, *, fails: int, retries: int) -> int:
    calls = []

    def execute() -> None:
        calls.append(1)
        if len(calls) <= fails:
            raise error

    try:
        try_again(execute, retries=retries, delay=0)
    except type(error):
        assert len(calls) <= fails
    return len(calls)


@pytest.mark.parametrize(
    ("fails", "retries", "tries"), [(0, 2, 1), (1, 2, 2), (9, 2, 3), (9, 0, 1)]
)
def test_what_may_pass_is_tried_again(fails: int, retries: int, tries: int) -> None:
    assert count_tries(OSError("the share is away"), fails=fails, retries=retries) == tries


def test_a_wrong_audit_is_not_tried_again() -> None:
    assert count_tries(ConfigError("no such file"), fails=9, retries=3) == 1
