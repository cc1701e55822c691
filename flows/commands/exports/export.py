"""`weakspot export`: any table of a workspace as Parquet, CSV or JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from flows.commands.exports.checks import read_named_checks
from flows.commands.exports.map_table import build_map_table
from flows.commands.exports.matches import MATCH_READERS
from flows.commands.exports.rows import mark_limit, select_current, select_named
from flows.commands.exports.table_file import check_target, write_table
from flows.commands.exports.weights import build_weights
from flows.commands.exports.wide_columns import LIMIT
from flows.commands.exports.wide_table import build_wide_table
from pipeline.exceptions import ConfigError, StoreError
from pipeline.tables import QUALITY_TABLES, RESULTS, TABLES, TRUST_TABLES
from pipeline.workspace.integrity.sealed_shards import list_sound
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.kept.kept_quality import read_quality
from pipeline.workspace.kept.kept_texts import read_text_lines
from pipeline.workspace.kept.kept_trust import read_trust
from pipeline.workspace.store import Store, find_store


@dataclass(frozen=True)
class Exported:
    """How many rows were written, and what to know of them."""

    rows: int
    notes: tuple[str, ...] = ()


def export_table(
    workspace: Path, table: str, target: Path, *, all_runs: bool = False, current: bool = False
) -> Exported:
    """Write a table of the workspace to `target`.

    all_runs: write also what earlier runs made and earlier attributes and systems left, not the
    latest alone. current: of what is kept of any content, and of runs, write only what the samples
    and the manifests of now name. Rows of limited samples get a column `sample_limit`. Nested
    columns (predicates) are JSON text in CSV. Raises ConfigError for an unknown table or suffix,
    StoreError for what is no workspace.
    """
    known = list_tables()
    if table not in known:
        raise ConfigError(f"no table {table!r}; the tables are {', '.join(known)}")
    if all_runs and current:
        raise ConfigError("--all-runs and --current ask for opposite things; give one of them")
    check_target(target)
    store = find_store(workspace)
    try:
        stored = _READERS[table](store) if table in _READERS else store.read(table)
    except (pl.exceptions.PolarsError, OSError) as error:  # a file that something else changed
        raise StoreError(f"{workspace}: table {table!r} cannot be read: {error}") from None
    frame = stored if all_runs else select_current(stored, table, store)
    if current:
        frame = select_named(frame, table, store)
    frame = mark_limit(frame, table, store)
    write_table(frame, target)
    faults = Journal(store.folder).list_faults() if table == "checks" else ()
    return Exported(frame.height, (*_list_notes(frame, stored), *faults))


def list_tables() -> list[str]:
    """Return the names of all tables that can be exported."""
    return sorted({*TABLES, *RESULTS, *_READERS})


def _list_notes(frame: pl.DataFrame, stored: pl.DataFrame) -> Iterator[str]:
    if left := stored.height - frame.height:
        yield f"{left:,} rows of earlier runs or settings are left out; --all-runs writes them"
    if LIMIT in frame.columns and frame[LIMIT].is_not_null().any():
        limits = ", ".join(f"{limit:,}" for limit in frame[LIMIT].drop_nulls().unique().sort())
        yield f"rows are of limited samples: the first {limits} alone (column {LIMIT})"


def _read_embeddings(store: Store) -> pl.DataFrame:
    """Return content_key, encoder_id and vector of every shard; encoders may differ in length."""
    frames = [
        pl.read_parquet(shard).select(
            "content_key",
            encoder_id=pl.lit(shard.parent.name),
            vector=pl.col("vector").cast(pl.List(pl.Float32)),
        )
        for folder in sorted(store.embeddings.glob("*"))
        for shard in list_sound(folder)
    ]
    if not frames:
        raise StoreError(f"{store.folder}: no embeddings are stored; run `weakspot embed` first")
    return pl.concat(frames).sort("encoder_id", "content_key")


_READERS: dict[str, Callable[[Store], pl.DataFrame]] = {
    "checks": read_named_checks,
    **{name: partial(read_quality, table=name) for name in QUALITY_TABLES},
    **{name: partial(read_trust, table=name) for name in TRUST_TABLES},
    "embeddings": _read_embeddings,
    "map": build_map_table,
    "texts": read_text_lines,
    "weights": build_weights,
    "wide": build_wide_table,
    **MATCH_READERS,
}
