"""Starting a run where Prefect's configured server is away."""

import pytest

from pipeline.exceptions import WeakspotError
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.xdist_group("prefect"),
    # Prefect's own modules warn about what later versions of their libraries will do.
    pytest.mark.filterwarnings("default"),
]


def test_a_server_that_cannot_be_reached_is_told_plainly(small_audit: SmallAudit) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.run.start import start_run

    nowhere = "http://127.0.0.1:9/api"  # port 9 discards; nothing listens
    with (
        temporary_settings({PREFECT_API_URL: nowhere}),
        pytest.raises(WeakspotError, match=f"server at {nowhere} cannot be reached"),
    ):
        start_run(small_audit.config, stages=("embed",), limit=None)
