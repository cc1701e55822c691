"""Starting a run from the command: with Prefect, its server and its errors, or without."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from flows.run.artifacts import make_tags
from flows.run.logs import LOG, set_up_logging
from flows.run.prefect_server import serve_prefect
from flows.run.preflight import check_paths
from flows.run.resolved_audit import read_audit_once, read_name
from flows.run.summary import Summary
from pipeline.exceptions import ConfigError, WeakspotError

_UNREACHED = "Failed to reach API"  # how Prefect begins to say so; it has no class for it


def start_run(
    path: Path,
    *,
    stages: Sequence[str],
    limit: int | None = None,
    judge_limited: bool = False,
    rehash: bool = False,
    again: bool = False,
    single_file: bool = False,
    with_prefect: bool = True,
) -> Summary:
    """Run stages of the audit in `path` in this process, as a Prefect flow or directly.

    limit, judge_limited, rehash, again, single_file: as in `execute_audit`. Without Prefect no
    server is started, and nothing is tried again when input or output fails. Raises ConfigError for
    a faulty audit before Prefect is started, WeakspotError for the rest.
    """
    audit = read_audit_once(path)
    check_paths(audit, config=path)
    if audit.run.runner != "local" and not with_prefect:
        raise ConfigError(
            f'{path}: [run] runner = "{audit.run.runner}" works through Prefect; leave out '
            "--no-prefect, or the [run] table"
        )
    set_up_logging()
    if with_prefect:
        return _run_flow(
            path, stages=stages, limit=limit, judge_limited=judge_limited, rehash=rehash,
            again=again, single_file=single_file,
        )  # fmt: skip
    from flows.run.audit import execute_audit  # the stages take a second that --help saves
    from flows.run.runner import DirectRunner

    return execute_audit(
        path, DirectRunner(),
        stages=tuple(stages), limit=limit, judge_limited=judge_limited, rehash=rehash, again=again,
        single_file=single_file,
    )  # fmt: skip


def _run_flow(
    path: Path,
    *,
    stages: Sequence[str],
    limit: int | None,
    judge_limited: bool,
    rehash: bool,
    again: bool,
    single_file: bool,
) -> Summary:
    LOG.info("starting Prefect")
    with serve_prefect(meanwhile=lambda: importlib.import_module("flows.run.flow")) as url:
        from prefect import tags

        from flows.run.flow import run_audit

        try:
            with tags(*make_tags(read_name(path))):
                return run_audit(
                    str(path.absolute()),
                    stages=tuple(stages),
                    limit=limit,
                    judge_limited=judge_limited,
                    rehash=rehash,
                    again=again,
                    single_file=single_file,
                )
        except RuntimeError as error:
            if not str(error).startswith(_UNREACHED):
                raise
            raise WeakspotError(
                f"Prefect's server at {url} cannot be reached; start it, or unset PREFECT_API_URL "
                "for a temporary one"
            ) from None
        finally:
            _send_logs()


def _send_logs() -> None:
    """Send Prefect the lines it still queues: after its server is gone it retries for a minute."""
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
