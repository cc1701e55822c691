"""Prefect's telemetry, switched off before Prefect is imported."""

import os

_PRIVATE = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}


def keep_private() -> None:
    """Switch Prefect's telemetry off unless the user's environment said otherwise.

    Prefect reports its own import where a person sits at a terminal, so that this must come first.
    """
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)
