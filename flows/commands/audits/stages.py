"""The stages of an audit alone, one command each."""

from typing import Annotated

import typer

from flows.commands.audits.run import (
    AuditFile,
    Json,
    JudgeLimited,
    Limit,
    NoPrefect,
    Rehash,
    RunOptions,
    run_stages,
)


def embed(
    audit: AuditFile,
    *,
    limit: Limit = None,
    rehash: Rehash = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Embed and measure the samples that are not yet."""
    run_stages(audit, ("embed",), RunOptions(limit, no_prefect, json_output, rehash=rehash))


def label(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Label the samples that have no label of an attribute yet."""
    run_stages(audit, ("label",), RunOptions(limit, no_prefect, json_output))


def score(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Turn the systems' outputs into errors."""
    run_stages(audit, ("score",), RunOptions(limit, no_prefect, json_output))


def find(
    audit: AuditFile,
    *,
    limit: Limit = None,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Search the labelled samples for weak slices."""
    run_stages(audit, ("find",), RunOptions(limit, no_prefect, json_output))


def fairness(
    audit: AuditFile,
    *,
    limit: Limit = None,
    judge_limited: JudgeLimited = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Compare groups by sensitive attributes; exit with 3 if a gap fails the gates."""
    run_stages(audit, ("fairness",), RunOptions(limit, no_prefect, json_output, judge_limited))


def report(
    audit: AuditFile,
    *,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write one page with everything, to send.")
    ] = False,
    no_prefect: NoPrefect = False,
    json_output: Json = False,
) -> None:
    """Write the report of what was last found."""
    options = RunOptions(None, no_prefect, json_output, single_file=single_file)
    run_stages(audit, ("report",), options)
