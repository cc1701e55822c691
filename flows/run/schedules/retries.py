"""A whole audit, tried again after what may pass."""

import time
from collections.abc import Callable
from typing import TypeVar

from flows.run.logs import LOG
from pipeline.exceptions import WeakspotError

T = TypeVar("T")
DELAY = 60.0  # seconds before the next try


def try_again(execute: Callable[[], T], *, retries: int, delay: float = DELAY) -> T:
    """Return `execute()`, called again up to `retries` times after what is no fault of the audit.

    A WeakspotError (a wrong audit, gates that fail) would only come again, and is raised at once.
    The stages go on where they were. delay: seconds before each further try.
    """
    for left in range(retries, 0, -1):
        try:
            return execute()
        except WeakspotError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may not meet it
            reason = f"{type(error).__name__}: {error}"
            LOG.warning("the audit failed (%s); again in %.0f s, %s left", reason, delay, left)
            time.sleep(delay)
    return execute()
