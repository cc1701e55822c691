"""Word of a run that failed or whose gates failed: a command or an address gets a JSON object."""

import json
import os
import shlex
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

from flows.run.logs import LOG
from flows.run.summary import GatesFailedError
from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State

VARIABLE = "WEAKSPOT_NOTIFY"  # an environment variable, not a parameter, which a page would show
_SECONDS = 30.0


def notify_failure(
    flow: "Flow[..., Any]",  # noqa: ARG001 - Prefect gives it by name
    flow_run: "FlowRun",
    state: "State[Any]",
) -> None:
    """Send word of a run that ended in `state`: the hook of the flow."""
    error = state.result(raise_on_failure=False) if state.is_failed() else None
    if isinstance(error, GatesFailedError):
        send_notification(flow_run, status="gates failed", message=str(error))
    else:
        reason = str(error) if isinstance(error, Exception) else state.message or ""
        send_notification(flow_run, status=(state.name or "failed").lower(), message=reason)


def send_notification(flow_run: "FlowRun", *, status: str, message: str) -> None:
    """Give what WEAKSPOT_NOTIFY names a JSON object: text, status, message, run, run_id, config.

    A command gets it on standard input, an address (http:// or https://) by POST. That this fails
    is logged and changes nothing else.
    """
    target = os.environ.get(VARIABLE)
    if not target:
        return
    word = {
        "text": f"weakspot: {flow_run.name}: {status}: {message}",
        "status": status,
        "message": message,
        "run": flow_run.name,
        "run_id": str(flow_run.id),
        "config": str(flow_run.parameters.get("config_path", "")),
    }
    try:
        _deliver(target, json.dumps(word).encode())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        LOG.warning("no word could be sent (%s): %s", VARIABLE, error)


def check_target(target: str) -> None:
    """Raise ConfigError for a command that is not there: it would first be missed at night."""
    if _is_address(target):
        return
    try:
        words = shlex.split(target)
    except ValueError as error:
        raise ConfigError(f"--notify {target!r}: no command line: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise ConfigError(f"--notify {target!r}: there is no such command")


def _is_address(target: str) -> bool:
    return target.startswith(("http://", "https://"))


def _deliver(target: str, body: bytes) -> None:
    if _is_address(target):
        request = urllib.request.Request(  # noqa: S310 - the user's own address
            target, data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310 - the user's own address
            return
    subprocess.run(shlex.split(target), input=body, timeout=_SECONDS, check=True)  # noqa: S603 - the user's own command
