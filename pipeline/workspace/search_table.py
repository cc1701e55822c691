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
    own = connection.sql(
        """
        SELECT errors.sample_id, samples.parent_id, errors.error
        FROM errors JOIN samples USING (sample_id) JOIN wanted USING (sample_id)
        WHERE errors.error_id = ? ORDER BY errors.sample_id
        """,
        params=[error_id],
    ).pl()
    labels = pl.DataFrame({one.attribute: _read_column(connection, one, own) for one in columns})
    complete = labels.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    lacking = own.height - int(complete.sum()) if columns else 0
    if lacking:  # else nothing is copied
        own, labels = own.filter(complete), labels.filter(complete)
    return SearchTable(
        attributes=labels,
        errors=own["error"],
        cluster_ids=own.select(pl.coalesce("parent_id", "sample_id").alias("image")).to_series(),
        sample_ids=own["sample_id"].alias("own_id"),
        samples_without_labels=lacking,
        orders={column.attribute: column.values for column in columns if column.values},
    )


def _read_column(
    connection: duckdb.DuckDBPyConnection, column: LabelColumn, own: pl.DataFrame
) -> pl.Series:
    """Return the label of each row, or of the image that it is cut from; null without one.

    One attribute at a time, as a join of many in the database takes several times the memory.
    """
    found = connection.sql(
        "SELECT sample_id, value FROM labels WHERE label_id = ?", params=[column.label_id]
    ).pl()
    key = "parent_id" if column.of_image else "sample_id"
    joined = own.select(key).join(
        found, left_on=key, right_on="sample_id", how="left", maintain_order="left"
    )
    return joined["value"].alias(column.attribute)
