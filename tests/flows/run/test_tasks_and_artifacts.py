"""What Prefect adds: tasks tried again on failing input or output, artifacts to look at."""

import contextlib
import json

import pytest

from flows.run.summary import GatesFailedError
from pipeline.exceptions import PredictionsError
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.xdist_group("prefect"),
    pytest.mark.filterwarnings("default"),
]


def count_calls(error: Exception, *, fails: int) -> int:
    """Run a task that fails `fails` times; return how often it was called."""
    from prefect import flow

    from flows.run.tasks import make_task

    calls = []

    def flaky() -> None:
        calls.append(1)
        if len(calls) <= fails:
            raise error

    @flow(name="flaky flow")
    def run_flaky() -> None:
        make_task(flaky, retry_delays=(0.0, 0.0))()

    with contextlib.suppress(type(error)):
        run_flaky()
    return len(calls)


@pytest.mark.parametrize(("fails", "calls"), [(0, 1), (2, 3), (9, 3)])
def test_failing_input_is_tried_up_to_three_times(fails: int, calls: int) -> None:
    assert count_calls(OSError("disk"), fails=fails) == calls


def test_a_bad_input_is_not_tried_again() -> None:
    assert count_calls(PredictionsError("NaN in row 3"), fails=9) == 1


def test_a_run_leaves_its_artifacts(small_audit: SmallAudit) -> None:
    from prefect.client.orchestration import get_client

    from flows.audit import run_audit

    summary = run_audit(str(small_audit.config))
    with get_client(sync_client=True) as client:
        kinds = {
            key: client.request(
                "POST",
                "/artifacts/filter",
                json={"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1},
            ).json()[0]
            for key in ("weakspot-small-embed", "weakspot-small-findings", "weakspot-small-report")
        }
    assert kinds["weakspot-small-embed"]["type"] == "progress"
    assert kinds["weakspot-small-findings"]["type"] == "table"
    assert "brightness" in kinds["weakspot-small-findings"]["data"]
    assert summary.report is not None
    assert summary.report in kinds["weakspot-small-report"]["data"]


def test_an_audit_that_takes_too_long_is_ended(small_audit: SmallAudit) -> None:
    from flows.audit import run_audit

    state = run_audit(str(small_audit.config), timeout_seconds=0.01, return_state=True)
    assert (state.type.value, state.name) == ("FAILED", "TimedOut")


def test_groups_and_gates_leave_artifacts_and_the_report_its_address(
    small_audit: SmallAudit,
) -> None:
    from prefect.client.orchestration import get_client

    from flows.audit import run_audit

    small_audit.edit('name = "small"', 'name = "Gated, by night"')
    small_audit.edit(
        "[slices]",
        '[fairness]\nattributes = ["brightness"]\n[gates]\nmax_gap = 5\n'
        '[report]\nbase_url = "https://audits.example.org/night"\n[slices]',
    )
    run_audit(str(small_audit.config))
    with get_client(sync_client=True) as client:
        made = client.request("POST", "/artifacts/latest/filter", json={}).json()
    data = {one["key"]: one["data"] for one in made}
    assert "brightness" in data["weakspot-gated-by-night-gaps"]
    (gate,) = json.loads(data["weakspot-gated-by-night-gates"])
    assert gate == {"system": "system", "verdict": "insufficient evidence"}  # of so few
    link = data["weakspot-gated-by-night-report"]
    assert "https://audits.example.org/night/index.html" in link


def test_word_is_sent_when_gates_fail(
    small_audit: SmallAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.audit import run_audit

    small_audit.edit("[slices]", "[gates]\nmax_error = 0.01\n[slices]")
    word = small_audit.folder / "word.json"
    monkeypatch.setenv("WEAKSPOT_NOTIFY", f"tee {word}")
    with pytest.raises(GatesFailedError):
        run_audit(str(small_audit.config), retries=3)  # which would take minutes
    assert json.loads(word.read_text())["status"] == "gates failed"
