"""`weakspot bias`: which words lean towards which group, and whether neutral words do as well."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from flows.stages.trusting.bias import BiasResult


def bias(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    groups: Annotated[
        str, typer.Option(help="The attribute or column whose values are the groups.")
    ],
    probes: Annotated[
        list[str] | None,
        typer.Option(help="A shipped probe file such as traits, or FILE.toml; may be repeated."),
    ] = None,
    adjust: Annotated[
        str, typer.Option(help="Attributes within which groups are compared, with commas between.")
    ] = "",
    people: Annotated[
        str | None, typer.Option(help="A column of who is in the picture; images of one cluster.")
    ] = None,
    neutral: Annotated[int, typer.Option(min=100, help="Pairs of neutral nouns.")] = 400,
    by_labels: Annotated[
        bool, typer.Option("--by-labels", help="Groups by labels where true values are known too.")
    ] = False,
    show_slurs: Annotated[
        bool, typer.Option("--show-slurs", help="Use and show probe files of insults as well.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="Write the forest plot as FILE.html.", dir_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Compare how near words lie to images of groups, with neutral words as the control."""
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.trusting.bias import BiasOptions, judge_bias
    from pipeline.exceptions import ConfigError
    from pipeline.files.whole_files import write_text
    from pipeline.probes.probe_file import read_probes
    from reports.pages.bias_page import build_bias_page

    if page is not None and page.suffix.lower() != ".html":
        raise ConfigError(f"--page {page}: expected a name that ends in .html")
    files = read_probes(probes or [], show_insults=show_slurs)
    names = tuple(name.strip() for name in adjust.split(",") if name.strip())
    options = BiasOptions(
        groups=groups, adjust=names, people=people, neutral=neutral, by_labels=by_labels, seed=seed
    )
    result = judge_bias(resolve_audit(audit), files, options)
    if page is not None:
        made = result.manifest
        write_text(
            build_bias_page(result.probes, attribute=made.attribute, images=made.images,
                            adjust=made.adjust, notes=made.notes),
            page,
        )  # fmt: skip
    if json_output:
        typer.echo(json.dumps(describe_bias(result), ensure_ascii=False))
    else:
        _print(result)
        if page is not None:
            typer.echo(f"wrote {page}")
    fail_on_gate(result.probes)


def fail_on_gate(probes: "pl.DataFrame") -> None:
    """Name the pairs of words that fail `max_probe_shift`; raises Exit with code 3 for any.

    probes: PROBES.
    """
    failed = probes.filter(gate="fail")
    for row in failed.to_dicts():
        typer.echo(
            f"the gate fails: {row['first']} / {row['second']}: {row['group']} "
            f"{row['shift']:+.3f} against {row['others']}",
            err=True,
        )
    if not failed.is_empty():
        raise typer.Exit(3)


def describe_bias(result: "BiasResult") -> dict[str, Any]:
    """Return everything as what JSON holds."""
    return {**result.manifest.model_dump(), "probes": result.probes.to_dicts()}


def _print(result: "BiasResult") -> None:
    from flows.commands.console import open_console
    from flows.commands.ranking.plain_tables import (
        add_row,
        open_table,
        print_whole,
        write_interval,
        write_number,
    )
    from reports.views.trusting.bias import list_bias_facts

    console = open_console()
    table = open_table(
        f"Words on images by {result.manifest.attribute}",
        ["first / second", "group / others"],
        ["share", "others", "difference", "95 %", "d", "95 %", "neutral", "p", "p family",
         "wordings"],
        ["verdict"],
    )  # fmt: skip
    for row in result.probes.to_dicts():
        needed = f" (needs {row['needed_n']:,})" if row["needed_n"] else ""
        why = f": {row['reason']}" if row["reason"] else ""
        add_row(
            table, f"{row['first']} / {row['second']}", f"{row['group']} / {row['others']}",
            write_number(row["share"], digits=3), write_number(row["others_share"], digits=3),
            write_number(row["shift"], digits=3),
            write_interval(row["shift_low"], row["shift_high"], digits=3),
            write_number(row["d"], digits=2), write_interval(row["d_low"], row["d_high"], digits=2),
            write_number(row["null_edge"], digits=2), write_number(row["p"], digits=3),
            write_number(row["p_family"], digits=3), f"{row['wordings_held']:.0%}",
            f"{row['verdict']}{why}{needed}",
        )  # fmt: skip
    print_whole(table, console)
    for line in [*list_bias_facts(result.probes), *result.manifest.notes]:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
