"""Labels and errors of one system, joined in DuckDB into the table that is searched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import polars as pl

from pipeline.exceptions import SearchError
from pipeline.predicates import select_rows
from pipeline.vocabulary import UNKNOWN
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.manifests import ScoreManifest
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class SearchTable:
    """What one system is searched on.

    attributes: one column an attribute, one row a sample with an error and every label, sorted
    by sample_id. errors: (n,) floats. cluster_ids: (n,) the image each sample is of. sample_ids:
    (n,). samples_without_labels: samples with an error that were left out, because a label is
    missing. orders: the values of attributes whose files or bins list them, in that order.
    """

    attributes: pl.DataFrame
    errors: pl.Series
    cluster_ids: pl.Series
    sample_ids: pl.Series
    samples_without_labels: int
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def select_slice(self, predicates: Sequence[Mapping[str, str]]) -> pl.Series:
        """Return which of the n rows have every {attribute, value} of `predicates`."""
        return select_rows(self.attributes, predicates, orders=self.orders)

    def drop_attribute(self, name: str | None) -> "SearchTable":
        """Return the table without the column of an attribute, itself where there is none."""
        return (
            self
            if name is None
            else replace(self, attributes=self.attributes.drop(name, strict=False))
        )

    def list_orders(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the orders of those attributes whose every value here has a place in one."""
        listed = {}
        for name in names:
            order = self.orders.get(name, ())
            if order and set(self.attributes[name].unique()) <= {*order, UNKNOWN}:
                listed[name] = order
        return listed


def read_search_table(
    store: Store, columns: Sequence[LabelColumn], *, system: str, sample_ids: pl.Series
) -> SearchTable:
    """Join the labels of each column with one system's errors.

    Raises SearchError when the system is not scored, or no sample has both.
    """
    error_id = find_error_id(store, system)
    with store.connect() as connection:
        table = join_labels(connection, sample_ids, columns, error_id=error_id)
    if table.errors.is_empty():
        raise SearchError(
            f"system {system!r}: no sample has both an error and labels "
            f"({table.samples_without_labels} have an error alone); see `weakspot export "
            f"{store.folder} rejects rejects.csv`"
        )
    return table


def find_error_id(store: Store, system: str) -> str:
    """Return the id of a system's errors. Raises SearchError when it is not scored."""
    scored = ScoreManifest.read(store.folder).systems
    if system not in scored:
        raise SearchError(f"system {system!r} is not scored yet; run `weakspot score` first")
    return scored[system].error_id


def join_labels(
    connection: duckdb.DuckDBPyConnection,
    sample_ids: pl.Series,
    columns: Sequence[LabelColumn],
    *,
    error_id: str,
) -> SearchTable:
    """Join the stored errors of `error_id` with the labels of each column.

    connection: a database with the tables samples, labels and errors. sample_ids: the samples of
    the audit, of those that the workspace holds.
    """
    connection.register("wanted", pl.DataFrame({"sample_id": sample_ids}).to_arrow())
    picked = ", ".join(
        "max(labels.value) FILTER (WHERE labels.label_id = ? AND keys.of_image = ?)"
        for _ in columns
    )
    query = f"""
        WITH own AS (
            SELECT errors.sample_id, errors.error, samples.parent_id
            FROM errors JOIN samples USING (sample_id) JOIN wanted USING (sample_id)
            WHERE errors.error_id = ?
        ), keys AS (
            SELECT sample_id, sample_id AS labelled_id, false AS of_image FROM own
            UNION ALL
            SELECT sample_id, parent_id, true FROM own WHERE parent_id IS NOT NULL
        ), wide AS (
            SELECT keys.sample_id, {picked}
            FROM keys JOIN labels ON labels.sample_id = keys.labelled_id
            GROUP BY keys.sample_id
        )
        SELECT own.error, coalesce(own.parent_id, own.sample_id) AS image,
            own.sample_id AS own_id, wide.*
        FROM own LEFT JOIN wide USING (sample_id) ORDER BY own.sample_id
    """  # noqa: S608 - what is put in is a count of question marks
    values = [error_id, *(v for column in columns for v in (column.label_id, column.of_image))]
    joined = connection.sql(query, params=values).pl()
    names = [column.attribute for column in columns]
    labels = joined.drop("error", "image", "own_id").drop("sample_id", strict=False)
    labels = labels.rename(dict(zip(labels.columns, names, strict=True)))
    complete = labels.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    kept = joined.filter(complete)
    return SearchTable(
        attributes=labels.filter(complete),
        errors=kept["error"],
        cluster_ids=kept["image"],
        sample_ids=kept["own_id"],
        samples_without_labels=joined.height - kept.height,
        orders={column.attribute: column.values for column in columns if column.values},
    )
