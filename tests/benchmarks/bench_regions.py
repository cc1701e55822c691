"""Weak regions in numbers: found weaknesses, null worlds, and drafts that become findings.

`python -m tests.benchmarks.bench_regions planted null` keeps its worlds in --worlds; `rivals`
compares ways to search on generated vectors (see region_rivals). Part of `make bench`.
"""

import argparse
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from pipeline.arrays import Floats, Mask
from pipeline.files.core_count import count_cores
from pipeline.predicates import select_rows
from pipeline.regions.region_table import WordVectors, tabulate_regions
from pipeline.regions.weak_regions import RegionSearch, find_regions
from pipeline.slices import AuditOptions, audit_slices
from tests.benchmarks.region_rivals import print_rivals
from tests.benchmarks.region_worlds import (
    WEAKNESSES,
    RegionWorld,
    TextTower,
    Weakness,
    draw_errors,
    prepare_world,
    read_region_world,
)

PARTS = ("rivals", "planted", "null")
UNSEEN = 3_000_000  # a seed that neither training nor an audit uses
OPTIONS = AuditOptions(alpha=0.9, max_level=2, exclude_unknown=True, permutations=199)
FIRST = 3  # regions that a weakness must be among
SHARE = 0.5  # of both, the region and the weakness, that they must have in common


@dataclass(frozen=True)
class Outcome:
    """One world with one weakness. rank: of the region that is the weakness, 0 where none is."""

    rank: int
    regions: int
    precision: float
    recall: float
    draft_kind: str
    draft_confirmed: bool
    words: str


def find_masks(labels: pl.DataFrame, errors: Floats, world: RegionWorld) -> list[Mask]:
    """Return the rows of each finding by attributes."""
    found = audit_slices(labels, errors, cluster_ids=world.images, options=OPTIONS).findings
    return [select_rows(labels, one, orders={}).to_numpy() for one in found["predicates"].to_list()]


def search_world(
    world: RegionWorld, weakness: Weakness, tower: TextTower, words: WordVectors, *, seed: int
) -> Outcome:
    """Draw errors for a weakness, search, and audit again with the draft of the first region."""
    errors = draw_errors(world, weakness.group, np.random.default_rng([seed, 1]))
    rows = world.gather(errors, weakness.left_out)
    masks = find_masks(rows.attributes, errors, world)
    found = find_regions(world.vectors, errors, world.images, masks, top=FIRST, seed=seed)
    weak = world.select(weakness.group)
    rank = next((i for i, one in enumerate(found.regions, 1) if is_same(one.members, weak)), 0)
    if not found.regions:
        return Outcome(0, 0, 0.0, 0.0, "none", draft_confirmed=False, words="")
    table, _ = tabulate_regions(found, rows, words, system="drawn")
    first = table.row(0, named=True)
    inside = found.regions[0].members
    return Outcome(
        rank,
        len(found.regions),
        float(weak[inside].mean()),
        float(inside[weak].mean()),
        first["draft_kind"],
        draft_confirmed=confirm_draft(first["draft"], rows.attributes, found, world, tower, errors),
        words="; ".join(one["word"] for one in first["words"][:3]),
    )


def is_same(inside: Mask, weak: Mask) -> bool:
    """Return whether two groups share half of the rows of both."""
    both = float((inside & weak).sum())
    return bool(both >= SHARE * inside.sum() and both >= SHARE * weak.sum())


def confirm_draft(
    draft: str,
    labels: pl.DataFrame,
    found: RegionSearch,
    world: RegionWorld,
    tower: TextTower,
    errors: Floats,
) -> bool:
    """Return whether the draft as it is, beside the other attributes, makes a confirmed finding."""
    if 'kind = "given"' in draft:
        members = pl.Series(found.regions[0].members)
        column = pl.select(pl.when(members).then(pl.lit("yes")).otherwise(pl.lit("no"))).to_series()
        column = column.alias("region_1")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "draft.toml"
            path.write_text(draft, encoding="utf-8")
            column = tower.label(path, world)
    findings = audit_slices(
        labels.with_columns(column), errors, cluster_ids=world.images, options=OPTIONS
    ).findings
    return any(
        row["state"] == "confirmed"
        and {"attribute": column.name, "value": "yes"} in row["predicates"]
        for row in findings.to_dicts()
    )


def print_planted(worlds: dict[str, RegionWorld], weaknesses: Sequence[Weakness]) -> None:
    """Print how often each weakness is found, and how often the draft makes a finding."""
    tower = TextTower()
    words = tower.encode_words()
    print("| weakness | worlds | among the first three | first | regions | of the first region "
          "weak | of the weak in it | drafts by words | drafts confirmed | words |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for weakness in weaknesses:
        got = [search_world(world, weakness, tower, words, seed=number)
               for number, world in enumerate(worlds.values())]  # fmt: skip
        print(
            f"| {weakness.name} | {len(got)} | {sum(one.rank > 0 for one in got)} "
            f"| {sum(one.rank == 1 for one in got)} | {sum(one.regions for one in got)} "
            f"| {np.mean([one.precision for one in got]):.2f} "
            f"| {np.mean([one.recall for one in got]):.2f} "
            f"| {sum(one.draft_kind == 'prompts' for one in got)} "
            f"| {sum(one.draft_confirmed for one in got)} | {got[0].words} |",
            flush=True,
        )


NULLS = {  # rates of others and of children; whether images differ
    "one rate, 10 %": (0.1, 0.1, False),
    "one rate, 3 %": (0.03, 0.03, False),
    "children 35 %, named": (0.1, 0.35, False),
    "images that differ": (0.1, 0.1, True),
}


def print_nulls(worlds: dict[str, RegionWorld], *, draws: int) -> None:
    """Print how many worlds without an unnamed weakness have a region."""
    print("\n| errors | worlds | with a region |\n|---|---|---|")
    for name, (outside, named, alike) in NULLS.items():
        count = 0
        for draw in range(draws):
            world = list(worlds.values())[draw % len(worlds)]
            rng = np.random.default_rng([draw % len(worlds), 2, draw])
            if alike:
                errors = draw_alike(world, rng)
            else:
                errors = draw_errors(world, None, rng, outside=outside, named=named)
            named_rows = (world.labels["age"] == "child").to_numpy()
            masks = [named_rows] if named > outside else []  # what the search by attributes finds
            found = find_regions(world.vectors, errors, world.images, masks, seed=draw)
            count += bool(found.regions)
        print(f"| {name} | {draws} | {count} |", flush=True)


def draw_alike(world: RegionWorld, rng: np.random.Generator) -> Floats:
    """Draw 0/1 errors with a rate for each image: people of an image fail together."""
    images = world.images
    rates = 0.1 * np.exp(rng.normal(0.0, 1.0, int(images.max()) + 1))
    return (rng.random(len(images)) < np.minimum(rates, 0.9)[images]).astype(np.float64)


def read_worlds(
    folder: Path, seeds: Sequence[int], *, images: int, parts: int
) -> dict[str, RegionWorld]:
    """Return the worlds of some seeds, each cut into parts by its images."""
    workers = count_cores()
    worlds = {}
    for seed in seeds:
        own = prepare_world(folder / str(seed), seed=seed, images=images, workers=workers)
        for number, world in enumerate(read_region_world(own).split(parts)):
            worlds[f"{seed}.{number}"] = world
    return worlds


def main(arguments: list[str] | None = None) -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help="rivals, planted, null; all where none is named")
    parser.add_argument("--worlds", type=Path, help="keeps the worlds; a temporary folder if none")
    parser.add_argument("--seeds", type=int, nargs="*", help="drawn afresh when none are given")
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--parts", type=int, default=1, help="worlds that one is cut into")
    parser.add_argument("--weakness", help="plant this one alone")
    parser.add_argument("--count", type=int, default=10, help="seeds to draw")
    parser.add_argument("--draws", type=int, default=100, help="of errors, for each kind of null")
    options = parser.parse_args(arguments)
    what = set(options.what or PARTS)
    if unknown := what - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; they are {', '.join(PARTS)}")
    seeds = options.seeds or [secrets.randbelow(UNSEEN) for _ in range(options.count)]
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        if "rivals" in what:
            print_rivals(worlds=options.count)
        if what & {"planted", "null"}:
            folder = options.worlds or Path(temporary)
            worlds = read_worlds(folder, seeds, images=options.images, parts=options.parts)
            print(f"{len(worlds)} worlds of seeds {', '.join(map(str, seeds))}, "
                  f"{options.images // options.parts:,} images each\n", flush=True)  # fmt: skip
            if "planted" in what:
                kinds = [one for one in WEAKNESSES if options.weakness in (None, one.name)]
                print_planted(worlds, kinds)
            if "null" in what:
                print_nulls(worlds, draws=options.draws)


if __name__ == "__main__":
    main()
