"""Detections of an Ultralytics model: a folder of label files with a confidence in each line."""

from pathlib import Path

import polars as pl

from pipeline.errors.results_file import SCORED_DETECTIONS
from pipeline.exceptions import PredictionsError
from pipeline.files.table_file import SHOWN_ROWS
from pipeline.files.yolo_labels import read_class, split_lines

_FARTHEST = 2  # in shares of the image: what lies beyond it must be pixels
_VALUES = ("cx", "cy", "w", "h", "score")
_EXPECTED = "expected class cx cy w h confidence (save_txt=True, save_conf=True)"


def read_yolo_detections(folder: Path, *, source: int) -> pl.DataFrame:
    """Read the .txt files of a folder, in the order of their names, as SCORED_DETECTIONS.

    image_id is the name of the file without .txt, as Ultralytics names it after the image; x, y, w
    and h are shares of the image's sides. An image without a file has no detections. Raises
    PredictionsError naming the file and line of everything that cannot be used.
    """
    files = _list_files(folder)
    texts, problems = [], []
    for name in files:
        try:
            with open(folder / name, "rb") as file:  # noqa: PTH123 - a third of a Path's cost
                texts.append(file.read().decode("utf-8-sig"))
        except OSError as error:
            problems.append(f"{name}: cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            problems.append(f"{name}: byte {error.start} is not UTF-8")
    if problems:
        raise _refuse(folder, problems, of=f"{len(files)} files")
    image_ids = pl.Series([name.removesuffix(".txt") for name in files], dtype=pl.String)
    lines = split_lines(texts)
    lines = _read_values(lines.with_columns(image_ids.gather(lines["file"]).alias("image_id")))
    bad = lines.filter(pl.col("fault").is_not_null())
    if not bad.is_empty():
        problem = pl.format("{}.txt line {}: {}", "image_id", "line", "fault")
        raise _refuse(folder, bad.select(problem).to_series().to_list(), of=f"{lines.height} lines")
    placed = lines.with_columns(
        pl.lit(source, dtype=pl.Int64).alias("source"),
        (pl.col("cx") - pl.col("w") / 2).alias("x"),
        (pl.col("cy") - pl.col("h") / 2).alias("y"),
    )
    return placed.select(list(SCORED_DETECTIONS))


def _list_files(folder: Path) -> list[str]:
    try:
        names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".txt"))
    except FileNotFoundError:
        raise PredictionsError(f"{folder}: there is no such folder") from None
    except NotADirectoryError:
        raise PredictionsError(f"{folder}: is a file, expected a folder of label files") from None
    except OSError as error:
        raise PredictionsError(f"{folder}: cannot be read: {error.strerror}") from None
    if not names:
        raise PredictionsError(f"{folder}: holds no .txt file; {_EXPECTED}")
    unprintable = [name for name in names if not name.isprintable()]
    if unprintable:
        raise PredictionsError(f"{folder}: {unprintable[0]!a} is no name of a text file")
    return names


def _read_values(lines: pl.DataFrame) -> pl.DataFrame:
    """Add category_id, the values as numbers, and fault: why a line cannot be used, or null."""
    tokens = pl.col("text").str.extract_all(r"\S+")
    rows = lines.with_columns(tokens.alias("tokens"))
    part = pl.col("tokens").list
    rows = rows.with_columns(
        part.len().alias("count"),
        read_class(pl.col("tokens")).alias("category_id"),
        *(
            part.get(index, null_on_oob=True).cast(pl.Float64, strict=False).alias(name)
            for index, name in enumerate(_VALUES, start=1)
        ),
    ).drop("tokens")
    shown = pl.col("text").str.slice(0, 40)
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in _VALUES)
    farthest = pl.max_horizontal(pl.col(name).abs() for name in _VALUES[:4])
    fault = (
        pl.when(pl.col("count") != 1 + len(_VALUES))
        .then(pl.format("has {} values, " + _EXPECTED, "count"))
        .when(~finite)
        .then(pl.format("'{}' is not made of finite numbers", shown))
        .when(pl.col("category_id").is_null())
        .then(pl.format("'{}' does not start with the index of a class", shown))
        .when(pl.min_horizontal("w", "h") < 0)
        .then(pl.format("'{}' has a negative side", shown))
        .when(farthest > _FARTHEST)
        .then(pl.format("'{}' is in pixels, expected shares of the image", shown))
    )
    return rows.with_columns(fault.alias("fault"))


def _refuse(folder: Path, problems: list[str], *, of: str) -> PredictionsError:
    shown = problems[:SHOWN_ROWS]
    if len(problems) > SHOWN_ROWS:
        shown.append(f"and {len(problems) - SHOWN_ROWS} more")
    head = f"{folder}: {len(problems)} of {of} cannot be used"
    return PredictionsError("\n".join([head, *(f"  - {problem}" for problem in shown)]))
