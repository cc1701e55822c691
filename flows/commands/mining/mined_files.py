"""What was mined as files: a table, COCO, a page of pictures, a folder of links."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.commands.exports.table_file import check_target, write_table
from flows.commands.mining.mined_words import describe_mined, tabulate_rates
from flows.mining.mine_pool import Mined
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from pipeline.files.whole_folders import replace_folder
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from reports.pages.mined_page import MinedGroup, MinedPage, MinedSample, build_mined_page
from reports.parts.words import write_predicates

FILES = (".csv", ".parquet", ".json", ".html")
_SHOWN = 40  # pictures of a finding on the page
_MOST = 400  # of all: some 4 MB
_SIDE = 144  # pixels of a thumbnail


def check_outputs(targets: Sequence[Path]) -> None:
    """Raise ConfigError for a file or folder that cannot be written, before anything is mined."""
    for target in targets:
        if target.suffix:
            check_target(target, suffixes=FILES)
        elif target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError(f"--out {target}: is there already; name a new folder for the links")


def write_mined(mined: Mined, target: Path, *, categories: Sequence[str]) -> str:
    """Write what was mined as the name of the target asks; return what was written, in words.

    FILE.csv and FILE.parquet hold MINED, FILE.json is COCO, FILE.html a page of pictures, a name
    without suffix a folder of links. categories: of the audit, for COCO. Raises ConfigError where
    it cannot be written.
    """
    try:
        if target.suffix in (".csv", ".parquet"):
            write_table(mined.table, target)
        elif target.suffix == ".json":
            content = make_coco(mined, categories=categories)
            write_text(json.dumps(content, ensure_ascii=False, indent=1), target)
        elif target.suffix == ".html":
            write_text(build_mined_page(_draw(mined)), target)
        else:
            return f"{_link(mined, target):,} links in {target}"
    except OSError as error:
        raise ConfigError(f"--out {target}: cannot be written: {error.strerror or error}") from None
    return f"{mined.table.height:,} samples to {target}"


def make_coco(mined: Mined, *, categories: Sequence[str]) -> dict[str, Any]:
    """Return COCO of the mined images in the order to label; boxes where objects were mined.

    Each image has a key `weakspot` with rank, finding, slice and probability of what it was mined
    for first.
    """
    numbers = {name: number for number, name in enumerate(categories, start=1)}
    boxed = mined.pool.units.select("sample_id", "category").rows_by_key("sample_id", unique=True)
    images: dict[str, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    for row in mined.table.iter_rows(named=True):
        about = {
            "rank": row["rank"],
            "finding": row["finding"],
            "slice": write_predicates(row["predicates"]),
            "probability": round(row["probability"], 4),
        }
        size = {"file_name": row["path"], "width": row["width"], "height": row["height"]}
        image = images.setdefault(row["path"], {"id": len(images) + 1, **size, "weakspot": about})
        if row["x"] is not None:
            name = boxed[row["sample_id"]][0] or "object"
            box = [row[side] for side in "xywh"]
            annotations.append({
                "id": len(annotations) + 1,
                "image_id": image["id"],
                "category_id": numbers.setdefault(name, len(numbers) + 1),
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "weakspot": about,
            })  # fmt: skip
    return {
        "info": {"description": f"mined for the findings of {mined.system}, run {mined.run_id}"},
        "images": list(images.values()),
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
    }


def _link(mined: Mined, folder: Path) -> int:
    """Make a folder of links to the mined images, named in the order to label."""
    count = 0
    with replace_folder(folder) as unfinished:
        for row in mined.table.unique("path", keep="first", maintain_order=True).to_dicts():
            source = (mined.pool.root / row["path"]).absolute()
            name = row["path"].strip("/").replace("/", "_")
            link = unfinished / f"{row['rank']:05}_finding{row['finding']}_{name}"
            try:
                link.symlink_to(source)
            except OSError:  # a file system without links
                shutil.copyfile(source, link)
            count += 1
    return count


def _draw(mined: Mined) -> MinedPage:
    shown = min(_SHOWN, max(_MOST // max(mined.rates.height, 1), 1))
    groups = []
    for rate in mined.rates.to_dicts():
        rows = mined.table.filter(mined.table["finding"] == rate["finding"])
        words = write_predicates(rate["predicates"])
        groups.append(
            MinedGroup(
                f"Finding {rate['finding']}: {words}",
                f"{rows.height:,} mined, the first {shown} shown" if rows.height > shown else "",
                [_show(row, mined.pool.root) for row in rows.head(shown).to_dicts()],
            )
        )
    return MinedPage(
        dataset=mined.pool.root.name or str(mined.pool.root),
        system=mined.system,
        facts=describe_mined(mined),
        rates=tabulate_rates(mined.rates),
        groups=groups,
    )


def _show(row: dict[str, Any], root: Path) -> MinedSample:
    box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
    try:
        image = make_thumbnail(load_image(root / row["path"]), _SIDE, box=box)
    except ImageRejectedError:  # gone meanwhile
        image = b""
    also = "".join(f", also {other}" for other in row["also"])
    return MinedSample(row["path"], image, f"{row['rank']}. {row['probability']:.0%}{also}")
