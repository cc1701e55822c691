"""`weakspot attack typographic`: which labels a word in the picture flips."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from flows.stages.trusting.natural_text import TextFacts
    from flows.stages.trusting.typographic import AttackResult

app = typer.Typer(help="Attack the labels of an audit.", no_args_is_help=True)


@app.callback()
def attack() -> None:
    """Attack the labels of an audit."""


@app.command()
def typographic(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    attributes: Annotated[
        str, typer.Option(help="Names with commas between; all with prompts when left out.")
    ] = "",
    area: Annotated[
        str, typer.Option(help="Shares of the picture that words cover, with commas between.")
    ] = "0.02,0.05,0.1",
    samples: Annotated[int, typer.Option(min=2, help="Pictures that are written into.")] = 200,
    defend: Annotated[
        list[str] | None,
        typer.Option(help="mask, mirror or probe: measure this defence too; may be repeated."),
    ] = None,
    masked: Annotated[
        int, typer.Option(min=2, help="Pictures for mask, whose reader of text is slow.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the pictures and the nonsense.")] = 0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Write words into pictures and count the labels that follow them, less those of nonsense."""
    from flows.run.resolved_audit import resolve_audit
    from flows.stages.trusting.natural_text import find_text_facts
    from flows.stages.trusting.typographic import AttackOptions, attack_labels

    options = AttackOptions(
        attributes=tuple(name.strip() for name in attributes.split(",") if name.strip()),
        areas=_read_areas(area), samples=samples,
        defences=tuple(dict.fromkeys(defend or [])), masked=masked, seed=seed,
    )  # fmt: skip
    resolved = resolve_audit(audit)
    result = attack_labels(resolved, options)
    facts = find_text_facts(resolved)
    if json_output:
        typer.echo(json.dumps(describe_attack(result, facts), ensure_ascii=False))
    else:
        _print(result, facts)


def _read_areas(text: str) -> tuple[float, ...]:
    from pipeline.exceptions import ConfigError

    try:
        areas = tuple(float(part) for part in text.split(","))
    except ValueError:
        areas = ()
    if not areas or not all(0 < area <= 0.5 for area in areas):
        raise ConfigError(f"--area {text}: expected shares above 0 and up to 0.5, such as 0.02,0.1")
    return tuple(dict.fromkeys(areas))


def describe_attack(result: "AttackResult", facts: "TextFacts | None") -> dict[str, Any]:
    """Return everything as what JSON holds."""
    return {
        **result.manifest.model_dump(),
        "flips": result.flips.to_dicts(),
        "text_as_it_is": None if facts is None else facts.to_content(),
    }


def _print(result: "AttackResult", facts: "TextFacts | None") -> None:
    from flows.commands.console import open_console
    from flows.commands.ranking.plain_tables import (
        add_row,
        open_table,
        print_whole,
        write_interval,
        write_number,
    )

    console = open_console()
    table = open_table(
        f"Words written into {result.manifest.samples:,} pictures",
        ["attribute", "defence", "area"],
        ["flips", "nonsense", "difference", "95 %", "p (Holm)", "clean", "change"],
        ["verdict"],
    )  # fmt: skip
    for row in result.flips.to_dicts():
        add_row(
            table, row["attribute"], row["defence"],
            "all" if row["area"] is None else f"{row['area']:g}",
            write_number(row["flips"], digits=3), write_number(row["control_flips"], digits=3),
            write_number(row["difference"], digits=3),
            write_interval(row["difference_low"], row["difference_high"], digits=3),
            write_number(row["p_holm"], digits=3), write_number(row["clean_accuracy"], digits=3),
            write_number(row["accuracy_change"], digits=3), row["verdict"] or "",
        )  # fmt: skip
    print_whole(table, console)
    lines = [*(() if facts is None else facts.to_lines()), *result.manifest.notes]
    if facts is None:
        lines.append(
            "No text was read in these images: with the attribute image/text `weakspot embed` "
            "reads it, and then this command says what text is there."
        )
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
