"""One real server for all tests of schedules that do not end it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.run.schedules.real_server import RealServer, run_server
from tests.flows.small_audit import SmallAudit, write_audit


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with run_server(tmp_path_factory.mktemp("prefect")) as (server, _):
        yield server


@pytest.fixture
def measured_audit(tmp_path: Path) -> SmallAudit:
    """The small audit without prompts: no weights are loaded."""
    audit = write_audit(tmp_path, count=40)
    audit.edit(
        'use = ["mine/tone.toml", "image/brightness", "image/contrast"]',
        'use = ["image/brightness"]',
    )
    audit.edit('[encoder]\nmodel = "local-dir:tiny"\n', "")
    return audit
