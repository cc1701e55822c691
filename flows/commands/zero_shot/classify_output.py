"""What `weakspot classify` prints: accuracy by line, worst classes, the lines of TOML to add."""

import json
from pathlib import Path
from typing import Any

from flows.commands.console import open_console
from flows.commands.ranking.plain_tables import (
    add_row,
    open_table,
    print_whole,
    write_interval,
    write_number,
)
from flows.stages.zero_shot.classified_images import ClassifiedImages
from flows.stages.zero_shot.classify import Classification

SHOWN = 10  # classes; --json and --confusion have all
OWN_NUMBERS = "These numbers are those of this encoder on these images."


def print_result(images: ClassifiedImages, result: Classification, out: Path | None) -> None:
    """Print for a person what came of a classification."""
    console = open_console()
    line = result.lines[result.chosen]
    for text in list_notes(images, result):
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    if result.accuracy is None:
        table = open_table(f"Predicted by {line.name!r}", ["class"], ["images"])
        for name, count in _count_predictions(result).items():
            add_row(table, name, f"{count:,}")
        print_whole(table, console)
    else:
        print_accuracy(result, console)
        console.print(OWN_NUMBERS, highlight=False)
    if out is not None:
        console.print(
            f"wrote {len(result.predictions):,} predictions of {line.name!r} to {out}; "
            "to audit them, add to audit.toml:\n",
            soft_wrap=True, markup=False, highlight=False,
        )  # fmt: skip
        console.print(write_system(out), soft_wrap=True, markup=False, highlight=False)


def print_accuracy(result: Classification, console: Any) -> None:  # noqa: ANN401 - rich's console, light import
    """Print a table of the accuracy of all lines, and one of the worst classes of the chosen."""
    if result.accuracy is None or result.classes is None:
        return
    table = open_table(
        "Accuracy by line", ["line"],
        ["prompts", "long", "top", "n", "accuracy", "95 %", "tied"],
    )  # fmt: skip
    for row in result.accuracy.to_dicts():
        own = result.vectors[row["line"]]
        add_row(
            table, row["line"], f"{own.prompts:,}", f"{own.long:,}", str(row["k"]),
            f"{row['n']:,}", write_number(row["accuracy"], digits=3),
            write_interval(row["ci_low"], row["ci_high"], digits=3), f"{row['ties']:,}",
        )  # fmt: skip
    print_whole(table, console)
    worst = open_table(
        f"Worst classes of {result.lines[result.chosen].name!r}", ["class"],
        ["n", "accuracy", "95 %"], ["most often taken for"],
    )  # fmt: skip
    for row in result.classes.head(SHOWN).to_dicts():
        taken = f"{row['mistaken_for']} ({row['mistakes']:,})" if row["mistaken_for"] else "-"
        add_row(
            worst, row["class"], f"{row['n']:,}", write_number(row["accuracy"], digits=3),
            write_interval(row["ci_low"], row["ci_high"], digits=3), taken,
        )  # fmt: skip
    print_whole(worst, console)


def list_notes(images: ClassifiedImages, result: Classification) -> list[str]:
    """Return what a reader must know of what was left out, averaged or cut."""
    notes = []
    if images.left_out:
        notes.append(f"{images.left_out:,} images could not be used.")
    unknown = images.table["truth"].null_count()
    if result.accuracy is not None and unknown:
        notes.append(f"{unknown:,} images have no true class and do not count.")
    if result.other:
        notes.append(
            f"{result.other:,} images have a true class that is none of the classes and do not "
            "count; in an audit they are errors."
        )
    for name, own in result.vectors.items():
        if own.long:
            notes.append(
                f"{name!r}: {own.long:,} of {own.prompts:,} prompts are longer than the encoder "
                "reads; each is the average of its sentences."
            )
        if own.cut:
            notes.append(f"{name!r}: {own.cut:,} single words are longer still and were cut.")
    return notes


def write_system(out: Path) -> str:
    """Return the TOML that makes a file of predictions a system under audit."""
    return (
        '[[systems]]\nname = "zero-shot"\nformat = "classification"\n'
        f'predictions = {json.dumps(str(out.absolute()), ensure_ascii=False)}\nerror = "not-top1"'
    )


def describe_result(
    images: ClassifiedImages, result: Classification, out: Path | None
) -> dict[str, Any]:
    """Return everything as what JSON holds."""
    return {
        "images": images.table.height,
        "left_out": images.left_out,
        "encoder_id": images.encoder.encoder_id,
        "classes": list(result.lines[result.chosen].classes),
        "line": result.lines[result.chosen].name,
        "lines": [
            {"line": name, "prompts": own.prompts, "long": own.long, "cut": own.cut}
            for name, own in result.vectors.items()
        ],
        "predicted": _count_predictions(result),
        "other_classes": result.other,
        "accuracy": None if result.accuracy is None else result.accuracy.to_dicts(),
        "by_class": None if result.classes is None else result.classes.to_dicts(),
        "confusions": None if result.confusions is None else result.confusions.to_dicts(),
        "predictions": None if out is None else str(out),
        "system": None if out is None else write_system(out),
    }


def _count_predictions(result: Classification) -> dict[str, int]:
    counted = result.predictions["prediction"].value_counts()
    counts = dict(zip(counted["prediction"], counted["count"], strict=True))
    return {name: counts.get(name, 0) for name in result.lines[result.chosen].classes}
