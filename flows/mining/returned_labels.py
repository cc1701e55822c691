"""Labels of mined samples that came back: which of them are hits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import ConfigError
from pipeline.files.table_file import read_table, to_text
from pipeline.predicates import select_rows

_YES, _NO = ("yes", "true", "1", "hit"), ("no", "false", "0", "miss")
_KEYS = ["sample_id", "finding"]


@dataclass(frozen=True)
class Returned:
    """hits: sample_id, finding and hit, of what was labelled. notes: on the rest, in words."""

    hits: pl.DataFrame
    notes: tuple[str, ...]


def read_returned(
    file: Path, mined: pl.DataFrame, *, orders: Mapping[str, Sequence[str]]
) -> Returned:
    """Read a CSV or Parquet file of labels of mined samples.

    It has the column path (and annotation_id, where objects were mined), and either finding and hit
    (yes or no), or a column for each attribute of the findings, with one row an object: an image is
    a hit if one of its rows has all values of the slice. mined: MINED. orders: the values of
    ordered attributes. Raises ConfigError for a file without these columns, or with none of the
    mined samples.
    """
    table = read_table(file, error=ConfigError)
    if "path" not in table.columns:
        found = ", ".join(table.columns)
        raise ConfigError(f"--returned {file}: expected a column 'path', found {found}")
    table = table.select(to_text(column) for column in table.iter_columns())
    keys = ["path"]
    if mined["annotation_id"].is_not_null().any():
        if "annotation_id" not in table.columns:
            raise ConfigError(f"--returned {file}: objects were mined; add a column annotation_id")
        keys.append("annotation_id")
    wanted = mined.select(*keys).unique()
    rows = table.join(wanted, on=keys, how="semi", maintain_order="left")
    if rows.is_empty():
        raise ConfigError(
            f"--returned {file}: none of its {table.height:,} rows names a mined sample by "
            f"{' and '.join(keys)}, such as {mined['path'][0]!r}"
        )
    notes = []
    if other := table.height - rows.height:
        notes.append(f"{other:,} rows name no mined sample and are left out")
    if "hit" in rows.columns:
        hits, more = _read_verdicts(file, rows, mined, keys)
    else:
        hits, more = _match_values(file, rows, mined, keys, orders)
    return Returned(hits, (*notes, *more))


def _read_verdicts(
    file: Path, rows: pl.DataFrame, mined: pl.DataFrame, keys: list[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Return hits from the columns finding and hit."""
    text = pl.col("hit").str.strip_chars().str.to_lowercase()
    hit = pl.when(text.is_in(_YES)).then(True).when(text.is_in(_NO)).then(False)  # noqa: FBT003 - a value
    rows = rows.with_columns(hit.alias("verdict"))
    odd = rows.filter(pl.col("verdict").is_null() & pl.col("hit").is_not_null())
    if not odd.is_empty():
        raise ConfigError(
            f"--returned {file}: {odd.height:,} cells of 'hit' are neither yes nor no, such as "
            f"{odd['hit'][0]!r}"
        )
    on = list(keys)
    if "finding" in rows.columns:
        number = pl.col("finding").cast(pl.Float64, strict=False)  # "1.0" of a spreadsheet is 1
        rows = rows.with_columns(
            pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)
        )
        on.append("finding")
    joined = mined.select(*_KEYS, *keys).join(rows.select(*on, "verdict"), on=on, how="inner")
    notes = []
    unmatched = rows.join(mined.select(on), on=on, how="anti").height
    if unmatched:
        notes.append(f"{unmatched:,} rows name a finding that their sample was not mined for, and "
                     "are left out")  # fmt: skip
    known = joined.drop_nulls("verdict")
    hits = known.group_by(_KEYS).agg(hit=pl.col("verdict").any()).sort(_KEYS)
    if empty := joined.height - known.height:
        notes.append(f"{empty:,} rows have no verdict and are left out")
    return hits, notes


def _match_values(
    file: Path,
    rows: pl.DataFrame,
    mined: pl.DataFrame,
    keys: list[str],
    orders: Mapping[str, Sequence[str]],
) -> tuple[pl.DataFrame, list[str]]:
    """Return hits from columns of attributes: one row that fits is enough."""
    parts, notes = [], []
    for (finding,), part in mined.group_by("finding", maintain_order=True):
        predicates = part["predicates"].to_list()[0]
        lacking = [one["attribute"] for one in predicates if one["attribute"] not in rows.columns]
        if lacking:
            notes.append(f"finding {finding}: no column {', '.join(lacking)}; it is left out")
            continue
        fits = select_rows(rows, predicates, orders=orders)
        judged = rows.select(*keys, fits.alias("fits"))
        by_key = judged.group_by(keys).agg(
            hit=pl.when(pl.col("fits").any())
            .then(True)  # noqa: FBT003 - a value
            .when(pl.col("fits").null_count() == 0)
            .then(False)  # noqa: FBT003 - a value
        )
        parts.append(part.select(*_KEYS, *keys).join(by_key, on=keys).select(*_KEYS, "hit"))
    if not parts:
        raise ConfigError(
            f"--returned {file}: expected the columns finding and hit, or one for each attribute "
            f"of a finding; {'; '.join(notes)}"
        )
    joined = pl.concat(parts)
    known = joined.drop_nulls("hit").sort(_KEYS)
    if open_ := joined.height - known.height:
        notes.append(f"{open_:,} samples lack a value that decides and are left out")
    return known, notes
