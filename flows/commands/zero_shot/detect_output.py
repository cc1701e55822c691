"""What `weakspot detect` writes and prints: COCO results, an audit of them, how good they are."""

from pathlib import Path

import polars as pl
import typer

from flows.commands.console import open_console
from flows.commands.ranking.plain_tables import add_row, open_table, print_whole, write_number
from flows.commands.zero_shot.system_audit import name_beside, write_audit_with
from flows.windows.detect_dataset import DatasetDetections
from pipeline.exceptions import ConfigError
from pipeline.files.coco_results import write_coco_results
from pipeline.files.whole_files import write_text


def check_out(out: Path | None) -> None:
    """Raise ConfigError for a file that cannot be written, before a model is loaded."""
    if out is not None and out.suffix != ".json":
        raise ConfigError(f"--out {out}: write to a file that ends in .json")
    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.absolute().parent}; make it first")


def write_results(
    found: DatasetDetections, audit: Path, out: Path | None, as_system: str | None
) -> list[Path]:
    """Write the detections of each annotation file as COCO results; return the files."""
    if out is None and as_system is None:
        return []
    target = out or name_beside(audit, as_system or "", ".json")
    count = max(1, len(found.audit.dataset.annotations))
    files = []
    for source in range(count):
        file = target if count == 1 else target.with_name(f"{target.stem}-{source}{target.suffix}")
        own = found.detections.filter(pl.col("source") == source)
        write_text(write_coco_results(own), file)
        files.append(file)
    return files


def write_system_audit(
    found: DatasetDetections, audit: Path, as_system: str | None, files: list[Path]
) -> Path | None:
    """Write the audit again with the detections as one more system; return the new file.

    Raises ConfigError where the dataset has no true boxes to compare them with.
    """
    if as_system is None:
        return None
    if found.check is None:
        raise ConfigError(
            f"--as-system {as_system}: the dataset has no true boxes, so that nothing says what is "
            f"right; take {files[0]} as objects: [dataset.boxes] detections"
        )
    return write_audit_with(audit, as_system, files, kind="coco-detections", error="miss")


def print_check(found: DatasetDetections) -> None:
    """Print DETECTOR_CHECK for a person."""
    if found.check is None:
        typer.echo("the dataset has no true boxes: nothing to check the detections with")
        return
    console = open_console()
    table = open_table(
        "Detections and true boxes, overlap 0.5", ["category"],
        ["objects", "detections", "AP", "AP50", "recall", "with it", "without it",
         "at recall .5: score", "with it", "without it"],
    )  # fmt: skip
    for row in found.check.to_dicts():
        add_row(
            table, row["category"], f"{row['objects']:,}", f"{row['detections']:,}",
            *(write_number(row[name], digits=3)
              for name in ("ap", "ap50", "recall", "false_with", "false_without", "score_half",
                           "false_with_half", "false_without_half")),
        )  # fmt: skip
    print_whole(table, console)
    images = found.check.select(
        pl.col("category"), pl.col("images_with"), pl.col("images_without")
    ).rows()
    parts = [f"{name}: {holding:,} with, {without:,} without" for name, holding, without in images]
    console.print(
        "with it, without it: false positives an image that holds the category or does not "
        f"({'; '.join(parts)}).",
        soft_wrap=True, markup=False, highlight=False,
    )  # fmt: skip
