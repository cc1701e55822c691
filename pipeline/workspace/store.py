"""The workspace on disk: one DuckDB file for tables, Parquet shards for vectors."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, remove_partial, write_parquet
from pipeline.tables import (
    ERRORS,
    LABELS,
    REJECTS,
    RESULTS,
    SAMPLES,
    SLICES,
    TABLES,
    check,
    empty,
)
from pipeline.workspace.database import (
    IN_DATABASE,
    MIGRATIONS,
    Connection,
    Migration,
    add_new_columns,
    explain_database_errors,
    migrate,
    open_database,
)
from pipeline.workspace.places import WorkspacePlaces
from pipeline.workspace.shard_place import read_place
from pipeline.workspace.shards import read_measurements

ERROR_KEYS = ("sample_id", "error_id")
_IMAGES = "-images"  # ends the name of what was counted in images
# Labels of samples that are gone or have other content, and errors of those that are gone.
_FORGET_STALE = """
    DELETE FROM labels WHERE NOT EXISTS (
        SELECT 1 FROM samples JOIN incoming USING (sample_id, content_key)
        WHERE samples.sample_id = labels.sample_id);
    DELETE FROM errors WHERE NOT EXISTS (
        SELECT 1 FROM incoming WHERE incoming.sample_id = errors.sample_id);
"""

# Columns of matches and of their counts as earlier versions named them.
_FORMER = {"outcome": "status", "false_claims": "unmatched"}


@dataclass(frozen=True)
class Store(WorkspacePlaces):
    """A workspace folder and what is in it."""

    @contextlib.contextmanager
    def connect(self, *, read_only: bool = True) -> Iterator[Connection]:
        """Open the database, waiting with `patience` for another process to close it.

        Raises StoreError when it stays locked, is not there yet or is damaged.
        """
        with explain_database_errors(self.database):
            connection = open_database(self.database, read_only=read_only, patience=self.patience)
            try:
                yield connection
            finally:
                connection.close()

    def read(self, table: str) -> pl.DataFrame:
        """Return a whole table; raises StoreError for an unknown name."""
        if table == "measurements":
            return read_measurements(self.measurements)
        if table == "slices":
            files = sorted(self.slices.glob("*.parquet"))
            return pl.concat([read_parquet(file) for file in files] or [empty(SLICES)])
        if table in RESULTS:
            files = sorted(self.results.glob(f"*/{table}.parquet"))
            frames = [read_parquet(file) for file in files] or [empty(RESULTS[table])]
            return pl.concat(frames, how="diagonal_relaxed")
        if table not in IN_DATABASE:
            known = ", ".join(sorted([*TABLES, *RESULTS]))
            raise StoreError(f"no table {table!r}; the tables are {known}")
        with self.connect() as connection:
            frame = connection.sql(f'SELECT * FROM "{table}" ORDER BY ALL').pl()  # noqa: S608 - the name was checked above
        return check(add_new_columns(frame, TABLES[table]), TABLES[table], table=table)

    def read_samples(self) -> pl.DataFrame:
        """Return the samples as last read, in the order of the dataset."""
        with self.connect() as connection:
            frame = connection.sql("SELECT * FROM samples").pl()
        return check(frame, SAMPLES, table="samples")

    def put_samples(self, samples: pl.DataFrame) -> None:
        """Replace other samples than those just read; labels and errors of what is gone go too."""
        rows = check(samples, SAMPLES, table="samples")
        if self.read_samples().equals(rows):
            return
        with self.connect(read_only=False) as connection:
            connection.register("incoming", rows.to_arrow())
            connection.execute(f"BEGIN; {_FORGET_STALE}")
            connection.execute("DELETE FROM samples")
            connection.execute("INSERT INTO samples BY NAME SELECT * FROM incoming")
            connection.execute("COMMIT")

    def put_rejects(self, rejects: pl.DataFrame, *, stage: str) -> None:
        """Make `rejects` the rejects of `stage`: the newest run says what could not be used."""
        rows = check(rejects, REJECTS, table="rejects").unique(maintain_order=True)
        with self.connect(read_only=False) as connection:
            connection.register("incoming", rows.to_arrow())
            connection.execute("BEGIN")
            connection.execute("DELETE FROM rejects WHERE stage = ?", [stage])
            connection.execute("INSERT INTO rejects BY NAME SELECT * FROM incoming")
            connection.execute("COMMIT")

    def put_labels(self, labels: pl.DataFrame) -> None:
        """Insert labels, replacing those of the same sample and label_id."""
        self._replace("labels", labels, keys=("sample_id", "label_id"))

    def put_errors(self, errors: pl.DataFrame) -> None:
        """Insert errors that are not stored so, replacing those of the same sample and error_id."""
        rows = check(errors, ERRORS, table="errors").sort(ERROR_KEYS)
        query = "SELECT * FROM errors WHERE list_contains(?, error_id)"
        with self.connect() as connection:
            known = connection.sql(query, params=[rows["error_id"].unique().to_list()]).pl()
        if not known.sort(ERROR_KEYS).equals(rows):
            self._replace("errors", rows, keys=ERROR_KEYS)

    def put_run(self, run: pl.DataFrame) -> None:
        """Insert or replace the row of a run."""
        self._replace("runs", run, keys=("run_id",))

    def put_findings(self, findings: pl.DataFrame, families: pl.DataFrame, *, run_id: str) -> None:
        """Keep what a run found: its findings in the database, its counted families as Parquet."""
        write_parquet(check(families, SLICES, table="slices"), self.slices / f"{run_id}.parquet")
        self._replace("findings", findings, keys=("run_id", "system", "rank"))

    def read_family(self, run_id: str) -> pl.DataFrame:
        """Return the counted families of one run."""
        path = self.slices / f"{run_id}.parquet"
        return read_parquet(path) if path.exists() else empty(SLICES)

    def write_result(self, run_id: str, name: str, frame: pl.DataFrame) -> None:
        """Keep a frame that a run made, by a name of RESULTS; raises StoreError for another."""
        write_parquet(frame, self._locate_result(run_id, name))

    def read_result(self, run_id: str, name: str) -> pl.DataFrame | None:
        """Return a frame that a run made, None if it made none."""
        frame = self._read_if_there(self._locate_result(run_id, name))
        return None if frame is None else add_new_columns(frame, RESULTS[name])

    def put_matches(
        self, error_id: str, matches: pl.DataFrame | None, image_counts: pl.DataFrame | None
    ) -> None:
        """Keep the match status of the outputs that the errors of `error_id` were made from.

        image_counts: what an audit of images needs beside them to sweep the score threshold.
        """
        for frame, path in (
            (matches, self._locate_matches(error_id)),
            (image_counts, self._locate_matches(error_id + _IMAGES)),
        ):
            if frame is not None:
                write_parquet(frame, path)

    def has_matches(self, error_id: str) -> bool:
        """Return whether matches of `error_id` are kept."""
        return self._locate_matches(error_id).exists()

    def read_matches(self, error_id: str) -> pl.DataFrame | None:
        """Return the matches of `error_id`, None where there are none."""
        return self._read_if_there(self._locate_matches(error_id))

    def read_image_counts(self, error_id: str) -> pl.DataFrame | None:
        """Return what was counted in the images of `error_id`, None where nothing was."""
        return self._read_if_there(self._locate_matches(error_id + _IMAGES))

    def read_labels(self, label_ids: Sequence[str]) -> pl.DataFrame:
        """Return the labels of the given ids, sorted by attribute and sample."""
        query = (
            "SELECT * FROM labels WHERE list_contains(?, label_id) ORDER BY attribute, sample_id"
        )
        with self.connect() as connection:
            frame = connection.sql(query, params=[list(label_ids)]).pl()
        return check(frame, LABELS, table="labels")

    def _locate_matches(self, name: str) -> Path:
        return self.outcomes / f"{name}.parquet"

    @staticmethod
    def _read_if_there(path: Path) -> pl.DataFrame | None:
        return read_parquet(path).rename(_FORMER, strict=False) if path.exists() else None

    def _locate_result(self, run_id: str, name: str) -> Path:
        if name not in RESULTS:
            raise StoreError(f"no result {name!r}; the results are {', '.join(sorted(RESULTS))}")
        return self.results / run_id / f"{name}.parquet"

    def _replace(self, table: str, frame: pl.DataFrame, *, keys: Sequence[str]) -> None:
        rows = check(frame, IN_DATABASE[table], table=table)
        if rows.is_empty():
            return
        same = " AND ".join(f'"{table}"."{key}" = incoming."{key}"' for key in keys)
        with self.connect(read_only=False) as connection:
            connection.register("incoming", rows.to_arrow())
            connection.execute("BEGIN")
            connection.execute(f'DELETE FROM "{table}" USING incoming WHERE {same}')  # noqa: S608 - names are ours
            connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM incoming')  # noqa: S608 - names are ours
            connection.execute("COMMIT")


def open_store(folder: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Store:
    """Open or make the workspace in `folder`, bring its tables up to date, clear half-writes.

    Raises StoreError when the folder cannot be written or holds a newer version's workspace.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_partial(folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be a workspace: {error.strerror}") from None
    store = Store(folder, shards=read_place(folder))
    with store.connect(read_only=False) as connection:
        migrate(connection, migrations, path=store.database)
    return store


def find_store(folder: Path) -> Store:
    """Return the workspace in `folder` for reading; raises StoreError when there is none."""
    store = Store(folder, shards=read_place(folder))
    if not store.database.exists():
        not_file = "the folder that `workspace` in audit.toml names, not a file"
        meant = not_file if folder.is_file() else "the folder of one"
        raise StoreError(f"{folder}: not a workspace (no weakspot.duckdb); name {meant}")
    return store
