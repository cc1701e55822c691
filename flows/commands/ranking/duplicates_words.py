"""What `weakspot similar` says of near duplicates, on the console and on its page."""

from pathlib import Path
from typing import Any

import polars as pl

from flows.stages.ranking.duplicates import FoundDuplicates
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from reports.pages.duplicates_page import (
    DuplicateGroup,
    DuplicateSample,
    DuplicatesPage,
    build_duplicates_page,
)

MOST_GROUPS = 100  # on a page: some 4 MB
_MOST_SAMPLES = 12  # of a group
_SIDE = 144  # pixels of a thumbnail


def describe_found(found: FoundDuplicates, *, least: float) -> list[str]:
    """Return sentences on the groups, the samples without a vector, and the splits."""
    exact = found.rows.filter(pl.col("kind") == "exact")
    near = found.rows.filter(pl.col("kind") != "exact")
    lines = [
        f"{found.samples:,} samples; groups of equal pixels: {exact['group'].n_unique():,} "
        f"({exact.height:,} samples), of near duplicates with cosines from {least:g}: "
        f"{near['group'].n_unique():,} ({near.height:,} samples)"
    ]
    if found.without_vector:
        lines.append(f"{found.without_vector:,} of them have no vector: compared by bytes alone")
    return lines + _describe_leaks(found)


def _describe_leaks(found: FoundDuplicates) -> list[str]:
    if len(found.sizes) < 2:
        return ["no splits are known, so that none is checked for leaks: --split names a column"]
    sizes = ", ".join(f"{name} {size:,}" for name, size in found.sizes.items())
    leaks = found.count_leaks()
    if not leaks:
        return [f"splits ({found.split}): {sizes}; no duplicates between them"]
    return [f"splits ({found.split}): {sizes}"] + [
        f"{one}: {n:,} of {found.sizes[one]:,} samples ({n / found.sizes[one]:.1%}) have a "
        f"duplicate in {other}"
        for one, other, n in leaks
    ]


def write_page(
    found: FoundDuplicates, rows: pl.DataFrame, samples: pl.DataFrame, root: Path, target: Path,
    *, least: float,
) -> int:  # fmt: skip
    """Write the first groups with their pictures; return how many of them.

    rows: DUPLICATES to show. samples: SAMPLES, for their boxes. Raises ConfigError where the file
    cannot be written.
    """
    boxes = samples.select("sample_id", "x", "y", "w", "h")
    shown = rows.filter(pl.col("group") <= rows["group"].unique().sort().head(MOST_GROUPS).max())
    groups = [
        _draw_group(part.head(_MOST_SAMPLES).join(boxes, on="sample_id", how="left"), root)
        for (_,), part in shown.group_by("group", maintain_order=True)
    ]
    count = rows["group"].n_unique()
    facts = describe_found(found, least=least)
    if count > len(groups):
        facts.append(f"{len(groups):,} of {count:,} groups are shown; FILE.csv has all")
    page = DuplicatesPage(root.name or str(root), f"cosines from {least:g}", facts, groups)
    try:
        write_text(build_duplicates_page(page), target)
    except OSError as error:
        raise ConfigError(f"--out {target}: cannot be written: {error.strerror or error}") from None
    return len(groups)


def _draw_group(rows: pl.DataFrame, root: Path) -> DuplicateGroup:
    first = rows.row(0, named=True)
    across = ", across splits" if first["across_splits"] else ""
    title = (
        f"Group {first['group']}: {first['kind']}{across}, {first['size']:,} samples, least cosine "
        f"{first['least_cosine']:.3f}"
    )
    return DuplicateGroup(title, [_draw_sample(row, root) for row in rows.to_dicts()])


def _draw_sample(row: dict[str, Any], root: Path) -> DuplicateSample:
    box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
    try:
        image = make_thumbnail(load_image(root / row["path"]), _SIDE, box=box)
    except ImageRejectedError:  # gone meanwhile
        image = b""
    words = [] if row["split"] is None else [row["split"]]
    words.append("an exact copy" if row["copy_of"] is not None else f"cosine {row['cosine']:.3f}")
    return DuplicateSample(row["path"], image, ", ".join(words))
