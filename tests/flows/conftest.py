"""One Prefect server for all tests of flows; a small audit on generated images."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    from flows.run.logs import set_up_logging
    from flows.run.prefect_server import hush_exit

    set_up_logging()
    hush_exit()
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture
def small_audit(tmp_path: Path) -> SmallAudit:
    return write_audit(tmp_path)


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("finished") / "audit")
    run_directly(audit.config)
    shutil.copytree(audit.folder, audit.folder.with_name("as finished"))
    return audit


@pytest.fixture
def finished_audit(finished_once: SmallAudit) -> SmallAudit:
    """Give the small audit as one whole run left it, where it ran."""
    shutil.rmtree(finished_once.folder)
    shutil.copytree(finished_once.folder.with_name("as finished"), finished_once.folder)
    return finished_once


@pytest.fixture(scope="session")
def labelled_once(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("labelled"), count=48)
    run_directly(audit.config, ["embed", "label"])
    return audit


@pytest.fixture
def labelled(labelled_once: SmallAudit) -> Iterator[SmallAudit]:
    """Give an audit whose images are labelled, and of which no label is checked."""
    yield labelled_once
    shutil.rmtree(labelled_once.folder / "workspace" / "checks", ignore_errors=True)
