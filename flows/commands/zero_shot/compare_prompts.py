"""`weakspot attributes compare`: which prompt is best, and whether that can be known."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.zero_shot.arguments import (
    Classes,
    DatasetName,
    Json,
    Limit,
    ModelName,
    Source,
    Truth,
    Weights,
    choose_encoder,
)

if TYPE_CHECKING:
    from flows.stages.zero_shot.compare_prompts import PromptResult


class Control(StrEnum):
    """What prompts are compared with."""

    waffle = "waffle"


def compare_prompts(
    source: Source,
    *,
    classes: Classes,
    prompts: Annotated[
        Path, typer.Option(help="Prompts one a line with {}, or CLIP_benchmark's JSON.")
    ],
    dataset: DatasetName = None,
    control: Annotated[
        Control | None, typer.Option(help="waffle: random words in place of those of the prompts.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Of random words.")] = 19,
    encoder: ModelName = None,
    pretrained: Weights = None,
    truth: Truth = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the halves and of random words.")] = 0,
    json_output: Json = False,
) -> None:
    """Compare prompts on the same images: each, all together, and with random words."""
    from flows.run.loaded_models import load_open_clip
    from flows.stages.zero_shot.classified_images import load_images
    from flows.stages.zero_shot.compare_prompts import judge_prompts
    from pipeline.zero_shot.class_files import read_class_file, read_templates

    in_json = classes.suffix == ".json"
    texts = read_class_file(classes, dataset=dataset if in_json else None)
    own = dataset if prompts.suffix == ".json" else None
    listed = list(dict.fromkeys(read_templates(prompts, dataset=own)))
    images = load_images(
        source, encoder=choose_encoder(source, encoder, pretrained), truth=truth, limit=limit,
        load=load_open_clip,
    )  # fmt: skip
    result = judge_prompts(
        images, texts, listed, draws=draws if control is not None else 0, seed=seed
    )
    if json_output:
        typer.echo(json.dumps(describe_comparison(result), ensure_ascii=False))
        return
    _print(result)


def describe_comparison(result: "PromptResult") -> dict[str, Any]:
    """Return everything as what JSON holds."""
    names, pairs = result.names, result.pairs
    rows = []
    for place, row in enumerate(result.accuracy.to_dicts()):
        difference, (low, high) = pairs.subtract(place, 0)
        rows.append(
            row | {"difference_to_first": difference, "difference_low": low,
                   "difference_high": high, "p": float(pairs.p[place, 0]),
                   "p_holm": float(pairs.p_holm[place, 0])}
        )  # fmt: skip
    chosen, control = result.chosen, result.control
    return {
        "prompts": rows,
        "differences_shown": [[names[one], names[other]] for one, other in pairs.shown],
        "best": names[pairs.best],
        "equals_of_best": [names[place] for place in pairs.list_equals()],
        "chosen_on_half": vars(chosen) | {"best": names[chosen.best]},
        "random_words": control and {"accuracies": control.accuracies.tolist(), "p": control.p},
        "long": result.long,
        "cut": result.cut,
        "other_classes": result.other,
        "objects_of_one_image": result.clustered,
    }


def list_verdicts(result: "PromptResult") -> list[str]:
    """Return in words what the comparison shows and what it does not."""
    names, pairs, chosen = result.names, result.pairs, result.chosen
    many = len(names) * (len(names) - 1) // 2
    lines = []
    if pairs.shown:
        lines.append(f"A difference is shown for {len(pairs.shown):,} of {many:,} pairs.")
        equals = [names[place] for place in pairs.list_equals() if place != pairs.best]
        same = ", ".join(map(repr, equals)) if equals else "none"
        lines.append(f"Best: {names[pairs.best]!r}. Ties with it, not shown to be worse: {same}.")
    else:
        lines.append(f"No difference shown between any two of these {len(names):,}: all are ties.")
    low, high = chosen.interval
    lines.append(
        f"Chosen on one half: {names[chosen.best]!r}, {chosen.chosen_accuracy:.3f} there; on the "
        f"other half {chosen.accuracy:.3f} ({low:.3f} to {high:.3f}), all together "
        f"{chosen.reference:.3f} (p {chosen.p:.2g})."
    )
    if result.control is not None:
        drawn = result.control.accuracies
        lines.append(
            f"Random words, {len(drawn):,} draws: {drawn.min():.3f} to {drawn.max():.3f}, mean "
            f"{drawn.mean():.3f}; as good as all together with p {result.control.p:.2g}."
        )
    if result.clustered:
        lines.append("Objects of one image are not independent; p is too small for them.")
    if result.other:
        lines.append(f"{result.other:,} images have a true class that is none of the classes.")
    if result.long:
        lines.append(f"{result.long:,} texts are longer than the encoder reads: averaged.")
    if result.cut:
        lines.append(f"{result.cut:,} single words are longer still and were cut.")
    return lines


def _print(result: "PromptResult") -> None:
    from flows.commands.console import open_console
    from flows.commands.ranking.plain_tables import (
        add_row,
        open_table,
        print_whole,
        write_interval,
        write_number,
    )
    from flows.commands.zero_shot.classify_output import OWN_NUMBERS

    console = open_console()
    table = open_table(
        "Prompts on the same images", ["prompt"],
        ["n", "accuracy", "95 %", "tied", "less the first", "95 % of that", "p (Holm)"],
    )  # fmt: skip
    for place, row in enumerate(describe_comparison(result)["prompts"]):
        ends = write_interval(row["difference_low"], row["difference_high"], digits=3)
        add_row(
            table, row["line"], f"{row['n']:,}", write_number(row["accuracy"], digits=3),
            write_interval(row["ci_low"], row["ci_high"], digits=3), f"{row['ties']:,}",
            f"{row['difference_to_first']:+.3f}" if place else "", ends if place else "",
            f"{row['p_holm']:.2g}" if place else "",
        )  # fmt: skip
    print_whole(table, console)
    for line in [*list_verdicts(result), OWN_NUMBERS]:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
