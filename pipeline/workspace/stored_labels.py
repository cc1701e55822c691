"""Which samples have their labels already, and how many: one pass before any are looked up."""

from collections.abc import Sequence

import polars as pl

from pipeline.workspace.store import Store


def count_labels(store: Store, label_ids: Sequence[str], sample_ids: pl.Series) -> dict[str, int]:
    """Return how many of the given samples have a label of each of the given ids.

    sample_ids: distinct.
    """
    query = (
        "SELECT label_id, count(*) FROM labels JOIN wanted USING (sample_id) "
        "WHERE list_contains(?, label_id) GROUP BY label_id"
    )
    with store.connect() as connection:
        connection.register("wanted", pl.DataFrame({"sample_id": sample_ids}).to_arrow())
        rows = connection.execute(query, [list(label_ids)]).fetchall()
    return dict.fromkeys(label_ids, 0) | {str(name): int(count) for name, count in rows}


def list_unlabelled(store: Store, sample_ids: pl.Series, label_id: str) -> pl.Series:
    """Return the samples, in their order, that have no label of `label_id` yet."""
    wanted = pl.DataFrame({"sample_id": sample_ids})
    query = "SELECT sample_id FROM labels WHERE label_id = ?"
    with store.connect() as connection:
        there = connection.sql(query, params=[label_id]).pl()
    return wanted.join(there, on="sample_id", how="anti", maintain_order="left")["sample_id"]
