"""Digests of rows in the database: one pass, whatever their order."""

from collections.abc import Sequence

from pipeline.workspace.store import Store

# Two sums of a 64-bit hash of each row. The order of rows does not matter; equal rows do not cancel
# in the second one.
_SUMS = "count(*) || '-' || coalesce(bit_xor(h), 0) || '-' || coalesce(sum(h), 0)"


def digest_samples(store: Store) -> str:
    """Return a digest of all columns of the samples but mtime, which says nothing of content."""
    return _digest(store, "SELECT hash(s) AS h FROM (SELECT * EXCLUDE (mtime) FROM samples) s", [])


def digest_rejects(store: Store) -> str:
    """Return a digest of what could not be used."""
    return _digest(store, "SELECT hash(r) AS h FROM rejects r", [])


def digest_labels(store: Store, label_ids: Sequence[str]) -> str:
    """Return a digest of the labels of the given ids."""
    query = "SELECT hash(l) AS h FROM labels l WHERE list_contains(?, label_id)"
    return _digest(store, query, [list(label_ids)])


def digest_errors(store: Store, error_ids: Sequence[str]) -> str:
    """Return a digest of the errors of the given ids."""
    query = "SELECT hash(e) AS h FROM errors e WHERE list_contains(?, error_id)"
    return _digest(store, query, [list(error_ids)])


def digest_findings(store: Store, run_id: str) -> str:
    """Return a digest of what a run found."""
    return _digest(store, "SELECT hash(f) AS h FROM findings f WHERE run_id = ?", [run_id])


def digest_searches(store: Store, name: str) -> str:
    """Return a digest of the runs of an audit that searched, as a list of them shows them."""
    query = (
        "SELECT hash(r) AS h FROM (SELECT * EXCLUDE (finished_at, timings) FROM runs "
        "WHERE search <> '' AND name = ?) r"
    )
    return _digest(store, query, [name])


def _digest(store: Store, rows: str, values: list[object]) -> str:
    with store.connect() as connection:
        found = connection.execute(f"SELECT {_SUMS} FROM ({rows})", values).fetchone()  # noqa: S608 - queries of this file
    return str(found[0]) if found else ""
