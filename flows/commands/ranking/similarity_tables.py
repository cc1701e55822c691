"""What `weakspot similarity` prints."""

from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.commands.ranking.plain_tables import (
    add_row,
    open_table,
    print_whole,
    write_interval,
    write_number,
)
from flows.commands.ranking.similarity_views import SHOWN, list_means, select_classes
from pipeline.ranking.pair_quantiles import LEVELS, Spread, find_quantiles

if TYPE_CHECKING:
    from flows.stages.ranking.similarity import CaptionComparison, ClassComparison

_SOURCES = {"column": "a column of the dataset", "truth": "true values", "labels": "labels"}


def print_classes(by_class: "ClassComparison", console: Console) -> None:
    """Print the means within and between classes, and how drawn pairs are spread."""
    total = by_class.table.row(0, named=True)
    count = by_class.table.height - 1
    name = by_class.classes.values.name
    console.print(
        f"{total['samples']:,} samples of {count:,} classes of {name} "
        f"({_SOURCES[by_class.classes.source]}); left out: {by_class.left_out:,} of unknown class "
        "or without a vector",
        soft_wrap=True,
        markup=False,
    )
    title = f"Mean cosine of all pairs by {name}"
    if count > SHOWN:
        title += f", the {SHOWN} largest classes: the others by --out or --json"
    table = open_table(
        title, ["class"], ["samples", "inner", "95 %", "inter", "95 %", "gap", "95 %"]
    )
    for row in [{**total, "class": "all"}, *select_classes(by_class.table).to_dicts()]:
        add_row(table, row["class"], f"{row['samples']:,}", *_write_means(row))
    print_whole(table, console)
    _print_spreads(console, {f"images by {name}": by_class.spread}, ("same class", "other class"))


def print_captions(captioned: "CaptionComparison", console: Console) -> None:
    """Print the means of pairs of images and captions, and how drawn pairs are spread."""
    found = captioned.found
    table = open_table(
        f"Mean cosine of all pairs of {captioned.images:,} images and {captioned.captions:,} "
        "captions",
        ["pairs"],
        ["number", "mean", "95 %"],
    )
    for name, pairs in list_means(found).items():
        ends = write_interval(pairs.low, pairs.high)
        add_row(table, name, f"{pairs.pairs:,}", write_number(pairs.mean), ends)
    print_whole(table, console)
    spreads = {"image and caption": found.image_caption, "two captions": found.caption_caption}
    _print_spreads(console, spreads, ("same image", "other image"))


def _write_means(row: dict[str, Any]) -> list[str]:
    return [
        text
        for name in ("inner", "inter", "gap")
        for text in (
            write_number(row[name]),
            write_interval(row[f"{name}_low"], row[f"{name}_high"]),
        )
    ]


def _print_spreads(console: Console, spreads: dict[str, Spread], names: tuple[str, str]) -> None:
    levels = [f"{level:.0%}" for level in LEVELS]
    table = open_table(
        "Cosines of pairs drawn at random: below them lie so many",
        ["", "pairs"],
        ["drawn", *levels, "separation"],
    )
    for title, spread in spreads.items():
        separation = write_number(spread.separation)
        for name, cosines, last in (
            (names[0], spread.inner, separation),
            (names[1], spread.inter, ""),
        ):
            cells = [write_number(value) for value in find_quantiles(cosines)]
            add_row(table, title, name, f"{len(cosines):,}", *cells, last)
    print_whole(table, console)
