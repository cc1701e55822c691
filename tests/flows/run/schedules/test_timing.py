"""When a schedule runs, in words and as Prefect has it."""

import datetime as dt

import pytest

from flows.run.schedules.timing import Timing, make_schedule
from pipeline.exceptions import ConfigError

pytestmark = pytest.mark.slow  # imports Prefect


@pytest.mark.parametrize(
    ("timing", "problem"),
    [
        (Timing(), "give either --cron"),
        (Timing(cron="0 3 * * *", interval=60), "give either --cron"),
        (Timing(cron="3 at night"), "--cron '3 at night': not a cron line"),
        (Timing(cron="0 25 * * *"), "not a cron line"),
        (Timing(cron="0 3 * * *", timezone="Mars/Olympus"), "no such time zone"),
        (Timing(cron="0 3 * * *", timezone="../etc"), "no such time zone"),
        (Timing(interval=60, timezone=""), "no such time zone"),
    ],
)
def test_a_wrong_timing_is_one_line(timing: Timing, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        make_schedule(timing)
    assert "\n" not in str(error.value)


def test_an_interval_keeps_its_times_when_it_starts_again() -> None:
    first, second = (make_schedule(Timing(interval=3600)) for _ in range(2))
    assert first.anchor_date == second.anchor_date
    assert first.interval == dt.timedelta(hours=1)


def test_a_timing_in_words() -> None:
    assert (
        str(Timing(cron="0 3 * * *", timezone="Europe/Berlin")) == "at '0 3 * * *' (Europe/Berlin)"
    )
    assert str(Timing(interval=3600)) == "every 3600 s (UTC)"
