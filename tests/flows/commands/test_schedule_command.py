"""`weakspot schedule` with what cannot be: one clear line each, before anything is started."""

import re
from pathlib import Path

import pytest

from tests.flows.command import call
from tests.flows.small_audit import SmallAudit

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # imports Prefect


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "give either --cron"),
        (("--cron", "0 3 * * *", "--interval", 60), "give either --cron"),
        (("--cron", "three at night"), "--cron 'three at night': not a cron line"),
        (("--cron", "0 3 * * *", "--timezone", "Berlin"), "no such time zone"),
        (("--interval", 60, "--notify", "nonesuch"), "there is no such command"),
        (("--interval", 0), "greater than or equal to 1"),
        (("--interval", 60, "--limit-overlap", "fail"), "--limit-overlap"),
    ],
)
def test_a_wrong_option_is_refused(
    small_audit: SmallAudit, options: tuple[object, ...], problem: str
) -> None:
    answer = call("schedule", small_audit.config, *options)
    assert answer.code == 2
    assert problem in re.sub(r"[\s│]+", " ", answer.err)


def test_a_missing_audit_and_a_missing_input_are_refused(
    small_audit: SmallAudit, tmp_path: Path
) -> None:
    answer = call("schedule", tmp_path / "none.toml", "--interval", 60)
    assert (answer.code, answer.err) == (2, f"error: {tmp_path}/none.toml: there is no such file\n")
    (small_audit.folder / "errors.csv").unlink()
    answer = call("schedule", small_audit.config, "--interval", 60)
    assert answer.code == 2
    assert "errors.csv: there is no such file" in answer.err


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (None, "start one with `prefect server start`"),
        ("http://127.0.0.1:9/api", "server at http://127.0.0.1:9/api cannot be reached"),
        ("no address", "server at no address cannot be reached"),
    ],
)
def test_a_schedule_needs_a_server(small_audit: SmallAudit, url: str | None, problem: str) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: url}):
        answer = call("schedule", small_audit.config, "--interval", 60)
    assert answer.code == 1
    assert problem in answer.err
    assert answer.err.count("\n") == 1
