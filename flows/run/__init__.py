"""A run: the order of its stages, Prefect around them, locks, logs and its record.

Whatever imports a flow comes through here first, so that Prefect starts without telemetry.
"""

import os

_PRIVATE = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def keep_private() -> None:
    """Switch the telemetry of Prefect and Ray off unless the user's environment said otherwise.

    Prefect reports its own import where a person sits at a terminal, so that this comes before it.
    """
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)


keep_private()
