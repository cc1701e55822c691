"""`weakspot schedule`: an audit that runs by itself, until the command is stopped."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OverlapName(StrEnum):
    """What a run does while the one before it is still going on."""

    skip = "skip"
    cancel = "cancel"
    queue = "queue"


def schedule(
    audit: Annotated[Path, typer.Argument(help="The audit.toml to run.", metavar="AUDIT.toml")],
    *,
    cron: Annotated[
        str | None,
        typer.Option(metavar="LINE", help='When to run: "0 3 * * *", at three at night.'),
    ] = None,
    interval: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Run every so many seconds.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="The time zone of --cron, e.g. Europe/Berlin.")
    ] = "UTC",
    name: Annotated[
        str | None, typer.Option(help="The name in Prefect; that of the audit without it.")
    ] = None,
    overlap: Annotated[
        OverlapName,
        typer.Option("--limit-overlap", help="While a run goes on, the next one is ... or waits."),
    ] = OverlapName.skip,
    retries: Annotated[
        int, typer.Option(min=0, metavar="N", help="Try again N times, a minute later.")
    ] = 1,
    timeout: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="End a run that takes longer.")
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="A command or http address that gets a JSON object when a run or a gate fails.",
        ),
    ] = None,
) -> None:
    """Run an audit on a schedule until stopped; needs a Prefect server (PREFECT_API_URL)."""
    from flows.run.artifacts import make_slug
    from flows.run.logs import LOG, set_up_logging
    from flows.run.preflight import check_paths
    from flows.run.resolved_audit import resolve_audit
    from flows.run.schedules.timing import Timing

    resolved = resolve_audit(audit).audit
    check_paths(resolved, config=audit)
    set_up_logging()
    from flows.run.schedules.deployment import (
        ScheduledAudit,
        deploy_audit,
        require_server,
    )
    from flows.run.schedules.notify import VARIABLE, check_target
    from flows.run.schedules.serve import serve_schedule

    if notify is not None:
        check_target(notify)
        os.environ[VARIABLE] = notify  # the processes of runs inherit it
    scheduled = ScheduledAudit(
        config=audit,
        audit=resolved.name,
        name=make_slug(name or resolved.name),
        timing=Timing(cron, interval, timezone),
        overlap=overlap.value,
        retries=retries,
        timeout=timeout,
    )
    scheduled.timing.check()
    url = require_server()
    deployment_id = deploy_audit(scheduled)
    LOG.info("%s runs %s, from %s; Ctrl-C ends it", resolved.name, scheduled.timing, url)
    serve_schedule(deployment_id, deploy=lambda: deploy_audit(scheduled), overlap=scheduled.overlap)
