"""`weakspot trust`: one verdict for each attribute whose labels a model made."""

import json
from pathlib import Path
from typing import Annotated

import typer


def trust(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    groups: Annotated[
        str,
        typer.Option(help="Attributes or columns, with commas between; the sensitive ones else."),
    ] = "",
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Say which attributes' labels can be trusted: how right they are, for whom, and by what."""
    from flows.commands.console import open_console
    from flows.commands.ranking.plain_tables import (
        add_row,
        open_table,
        print_whole,
        write_interval,
        write_number,
    )
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.trusting.trust import judge_trust

    names = tuple(name.strip() for name in groups.split(",") if name.strip())
    result = judge_trust(resolve_audit(audit), groups=names)
    if json_output:
        content = {"trust": result.trust.to_dicts(), "notes": list(result.notes)}
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    console = open_console()
    table = open_table(
        "Can the labels be trusted?", ["attribute", "verdict"],
        ["right", "95 %", "flips by words", "95 %", "right by group", "95 %"],
        ["quality", "text", "bias"],
    )  # fmt: skip
    for row in result.trust.to_dicts():
        add_row(
            table, row["attribute"], row["verdict"], write_number(row["accuracy"], digits=3),
            write_interval(row["accuracy_low"], row["accuracy_high"], digits=3),
            write_number(row["flips"], digits=3),
            write_interval(row["flips_low"], row["flips_high"], digits=3),
            write_number(row["bias_difference"], digits=3),
            write_interval(row["bias_low"], row["bias_high"], digits=3),
            row["quality"], row["text"],
            row["bias"] if row["group"] is None else f"{row['bias']}: {row['group']}",
        )  # fmt: skip
    print_whole(table, console)
    for line in [*result.trust["note"].drop_nulls(), *result.notes]:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
