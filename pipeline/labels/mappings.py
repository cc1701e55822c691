"""How well a mapping fits a table: which cells each value lists, and how often they are there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.table_file import fold_spelling
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.given import Meanings, find_column, write_cells

SHOWN_CELLS = 8  # of a column, the most frequent ones


@dataclass(frozen=True)
class MappedValue:
    """One value of a mapping: rows is how many have one of its cells in `column`."""

    value: str
    column: str
    rows: int


@dataclass(frozen=True)
class MappingFit:
    """How one mapping fits a table.

    values: in the order of the mapping. unlisted: cells of its columns that no value lists, with
    how often they occur, most frequent first. empty: rows that are empty in all of its columns.
    faults: in words, what cannot be meant.
    """

    name: str
    values: tuple[MappedValue, ...]
    unlisted: tuple[tuple[str, int], ...]
    empty: int
    faults: tuple[str, ...]

    def describe(self) -> str:
        """Return the counts as a line: "hat: yes 312, no 4,688; 3 cells of no value: '2' (3)"."""
        counts = ", ".join(f"{one.value} {one.rows:,}" for one in self.values)
        parts = [f"{self.name}: {counts}"]
        if self.unlisted:
            total = sum(count for _, count in self.unlisted)
            parts.append(f"{total:,} cells of no value: {show_cells(self.unlisted)}")
        if self.empty:
            parts.append(f"{self.empty:,} empty")
        return "; ".join(parts)


def fit_mapping(
    name: str, table: pl.DataFrame, meanings: Meanings, *, where: str, complete: bool = True
) -> MappingFit:
    """Count the rows of each value of a mapping and find what cannot be meant.

    where: names the mapping in faults, e.g. "[dataset.truth.hat]". complete: whether the table has
    all rows, so that a value may be expected to occur. A fault is a value none of whose cells
    occurs while others occur that no value lists, a cell that occurs in another spelling alone,
    and a mapping none of whose values occurs. A value that is merely absent is none.
    """
    columns = {column: write_cells(table[column]) for column, _ in meanings.values()}
    present = {column: _count_cells(cells) for column, cells in columns.items()}
    listed = {value: (column, _normalize(cells)) for value, (column, cells) in meanings.items()}
    values = [
        MappedValue(value, column, sum(present[column].get(cell, 0) for cell in cells))
        for value, (column, cells) in listed.items()
    ]
    known = {cell for _, cells in listed.values() for cell in cells}
    others = {
        column: {cell: n for cell, n in counts.items() if cell not in known}
        for column, counts in present.items()
    }
    faults = []
    for one in values:
        _, cells = listed[one.value]
        faults += _find_variants(f"{where} {one.value}", cells, one.column, present, others)
        used_elsewhere = any(cell in counts for cell in cells for counts in present.values())
        if one.rows or used_elsewhere or not others[one.column] or not complete:
            continue
        faults.append(_describe_absence(f"{where} {one.value}", cells, present, one.column))
    if not faults and len(table) and not any(one.rows for one in values):
        counts = {cell: n for part in present.values() for cell, n in part.items()}
        seen = f"the cells are {show_cells(_rank(counts))}" if counts else "every cell is empty"
        faults.append(f"{where}: no row has a value; {seen}")
    empty = pl.DataFrame(list(columns.values())) if columns else None
    return MappingFit(
        name=name,
        values=tuple(values),
        unlisted=tuple(_rank({cell: n for part in others.values() for cell, n in part.items()})),
        empty=0
        if empty is None
        else int(empty.select(pl.all_horizontal(pl.all().is_null())).sum().item()),
        faults=tuple(dict.fromkeys(faults)),
    )


def fit_given(
    attribute: Attribute,
    columns: pl.DataFrame,
    targets: pl.DataFrame,
    *,
    complete: bool = True,
) -> MappingFit | None:
    """Return how the mapping of a given attribute fits its column, None where it has no mapping.

    columns: sample_id and the columns of the dataset. targets: the samples that it labels, all of
    the dataset's if `complete`. Raises DatasetError for a column that is not there, and for values
    whose cells are not there, naming the cells that are.
    """
    find_column(attribute, columns)
    if not attribute.values:
        return None
    name = attribute.given_column
    own = columns.join(targets, on="sample_id", how="semi")
    meanings = {value: (name, listed) for value, listed in attribute.values.items()}
    where = f"attribute {attribute.name!r}, values"
    fit = fit_mapping(attribute.name, own, meanings, where=where, complete=complete)
    if fit.faults:
        raise DatasetError.from_problems(attribute.reference or attribute.name, fit.faults)
    return fit


def refuse_other_values(
    attribute: Attribute, columns: pl.DataFrame, targets: pl.DataFrame, values: Collection[str]
) -> None:
    """Raise DatasetError where no true value of an attribute is a cell of its column.

    attribute: given, each cell a value of its own. columns, targets: as for `fit_given`. values:
    those of [dataset.truth].
    """
    name = find_column(attribute, columns)
    own = columns.join(targets, on="sample_id", how="semi")[name]
    counts = _count_cells(write_cells(own))
    if counts and values and not set(values) & set(counts):
        names = ", ".join(map(repr, values))
        raise DatasetError(
            f"[dataset.truth.{attribute.name}]: none of its values ({names}) "
            f"is a cell of column {name!r}, which holds {show_cells(_rank(counts))}; name them "
            "as these cells are, or say in an attribute file which cells mean which value"
        )


def show_cells(counted: Sequence[tuple[str, int]]) -> str:
    """Write cells with how often they occur: "'male' (51), 'female' (49) and 3 more"."""
    shown = ", ".join(f"{cell!r} ({count:,})" for cell, count in counted[:SHOWN_CELLS])
    more = len(counted) - SHOWN_CELLS
    return shown + (f" and {more:,} more" if more > 0 else "")


def _find_variants(
    where: str,
    cells: Sequence[str],
    column: str,
    present: dict[str, dict[str, int]],
    others: dict[str, dict[str, int]],
) -> list[str]:
    """Find cells that occur in another spelling alone, one that no value lists."""
    spelled = {fold_spelling(cell): cell for cell in reversed(others[column])}
    return [
        f"{where}: no cell of column {column!r} is {cell!r}, {others[column][other]:,} are "
        f"{other!r}; cells are compared letter by letter"
        for cell in cells
        if cell not in present[column] and (other := spelled.get(fold_spelling(cell))) is not None
    ]


def _describe_absence(
    where: str, cells: Sequence[str], present: dict[str, dict[str, int]], column: str
) -> str:
    names = " or ".join(map(repr, cells)) or "listed"
    seen = show_cells(_rank(present[column]))
    return f"{where}: no cell of column {column!r} is {names}; its cells are {seen}"


def _normalize(cells: Sequence[str]) -> list[str]:
    written = write_cells(pl.Series(list(cells), dtype=pl.String))
    return list(dict.fromkeys(written.drop_nulls().to_list()))


def _count_cells(cells: pl.Series) -> dict[str, int]:
    counted = cells.drop_nulls().alias("cell").value_counts()
    return dict(counted.sort(["count", "cell"], descending=[True, False]).iter_rows())


def _rank(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
