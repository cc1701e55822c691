"""When a scheduled audit runs: a cron line or an interval, in a time zone."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from prefect.schedules import Schedule

# Intervals are counted from this midnight, so that a schedule that starts again keeps its times.
_ANCHOR = dt.datetime(2024, 1, 1)


@dataclass(frozen=True)
class Timing:
    """Either a cron line or a number of seconds, and the IANA name of the time zone."""

    cron: str | None = None
    interval: float | None = None  # seconds
    timezone: str = "UTC"

    def __str__(self) -> str:
        """Return it as a person reads it."""
        when = f"at {self.cron!r}" if self.cron else f"every {self.interval:g} s"
        return f"{when} ({self.timezone})"

    def check(self) -> None:
        """Raise ConfigError as `make_schedule` does."""
        make_schedule(self)


def make_schedule(timing: Timing) -> "Schedule":
    """Return Prefect's schedule of a timing.

    Raises ConfigError for a cron line or a time zone that cannot be read, and unless there is just
    one of cron and interval.
    """
    from prefect.schedules import Cron, Interval

    if (timing.cron is None) == (timing.interval is None):
        raise ConfigError(
            'give either --cron "MINUTE HOUR DAY MONTH WEEKDAY" or --interval SECONDS'
        )
    try:
        zone = zoneinfo.ZoneInfo(timing.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"--timezone {timing.timezone!r}: no such time zone; give an IANA name, e.g. "
            "Europe/Berlin"
        ) from None
    if timing.cron is None:
        seconds = dt.timedelta(seconds=timing.interval or 0)
        anchor = _ANCHOR.replace(tzinfo=zone)
        return Interval(seconds, anchor_date=anchor, timezone=timing.timezone)
    try:
        return Cron(timing.cron, timezone=timing.timezone)
    except ValueError:
        raise ConfigError(
            f"--cron {timing.cron!r}: not a cron line; give MINUTE HOUR DAY MONTH WEEKDAY, e.g. "
            '"0 3 * * *" for three at night'
        ) from None
