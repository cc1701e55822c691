"""What a workspace holds that nothing current names: listed first, removed when asked to."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.workspace.database import Connection
from pipeline.workspace.integrity.examine import POOLS
from pipeline.workspace.manifests import (
    FairnessManifest,
    LabelManifest,
    MapManifest,
    ScoreManifest,
)
from pipeline.workspace.scans.scan_store import list_stale_scans
from pipeline.workspace.shard_place import remove_folder
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class Deletion:
    """Rows of one table of the database: those whose `column` has one of `ids`."""

    table: str
    column: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Removal:
    """One kind of what is not needed any more.

    what: in words. kept: in words, what stays of the kind. ids: how many runs, encoders and so on
    go. rows: how many rows of the database. files: files and folders, size: their bytes.
    """

    what: str
    kept: str
    ids: int
    rows: int
    deletions: tuple[Deletion, ...]
    files: tuple[Path, ...]
    size: int


def list_removals(store: Store, *, keep_runs: int) -> list[Removal]:
    """Return what can go from a workspace, kinds without anything left out.

    keep_runs: how many of the newest runs stay; the one that searched last and the one that
    compared groups last stay whatever their age. What no stage noted yet is left alone.
    """
    with store.connect() as connection:
        removals = [_list_runs(store, connection, keep_runs=keep_runs), _list_maps(store)]
        if label := LabelManifest.find(store.folder):
            current = [*(one.label_id for one in label.attributes), *label.truth.values()]
            removals.append(_list_labels(connection, current))
            if label.encoder_id is not None:
                removals.append(_list_encoders(store, label.encoder_id))
                removals.append(_list_stale_scans(store, label.encoder_id))
        if scored := ScoreManifest.find(store.folder):
            removals.append(_list_errors(store, connection, scored))
    return [removal for removal in removals if removal.ids]


def remove(store: Store, removals: Iterable[Removal]) -> None:
    """Remove what `list_removals` found; the caller holds the workspace.

    Rows go before files, so that no row is left whose file is gone. The database file keeps its
    size; what is free in it is used again.
    """
    removals = list(removals)
    with store.connect(read_only=False) as connection:
        connection.execute("BEGIN")
        for deletion in (one for removal in removals for one in removal.deletions):
            query = f'DELETE FROM "{deletion.table}" WHERE list_contains(?, "{deletion.column}")'  # noqa: S608 - names are ours
            connection.execute(query, [list(deletion.ids)])
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    for path in (path for removal in removals for path in removal.files):
        if path.is_dir():
            remove_folder(path)
        else:
            path.unlink(missing_ok=True)


def _list_runs(store: Store, connection: Connection, *, keep_runs: int) -> Removal:
    """List runs beyond the newest, with what they found, and files of runs that are not known."""
    known = connection.execute(
        "SELECT run_id, search FROM runs ORDER BY started_at DESC, run_id DESC"
    ).fetchall()
    kept = {run_id for run_id, _ in known[:keep_runs]}
    kept |= {next((run_id for run_id, search in known if search), "")}
    if compared := FairnessManifest.find(store.folder):
        kept.add(compared.run_id)
    there = {
        path.name.removesuffix(".parquet")
        for folder in (store.slices, store.results)
        for path in folder.glob("*")
    }
    old = tuple(sorted(({run_id for run_id, _ in known} | there) - kept))
    files = [
        path
        for run_id in old
        for path in (store.slices / f"{run_id}.parquet", store.results / run_id)
    ]
    deletions = (Deletion("findings", "run_id", old), Deletion("runs", "run_id", old))
    stay = sum(run_id in kept for run_id, _ in known)
    return _make_removal(
        connection, "runs with what they found", f"{stay:,} runs", old, deletions, files
    )


def _list_labels(connection: Connection, current: Collection[str]) -> Removal:
    old = _list_other_ids(connection, "labels", "label_id", current)
    deletions = (Deletion("labels", "label_id", old),)
    kept = f"{len(set(current)):,} current definitions"
    return _make_removal(
        connection, "labels of old definitions of attributes", kept, old, deletions
    )


def _list_errors(store: Store, connection: Connection, scored: ScoreManifest) -> Removal:
    """List errors of predictions that were replaced, and the files on how they matched."""
    current = {one.error_id for one in scored.systems.values()}
    old = _list_other_ids(connection, "errors", "error_id", current)
    files = [
        path
        for path in sorted(store.outcomes.glob("*.parquet"))
        if not path.stem.startswith(tuple(current))
    ]
    deletions = (Deletion("errors", "error_id", old),)
    kept = f"those of {len(current):,} systems as scored last"
    gone = old or tuple(path.stem for path in files)
    return _make_removal(connection, "errors of replaced predictions", kept, gone, deletions, files)


def _list_encoders(store: Store, current: str) -> Removal:
    """List vectors of images and prompts of encoders that the labels do not come from.

    ENCODER_ID+POOLING are vectors that the same encoder pools in another way.
    """
    folders = [
        path
        for parent in (store.embeddings, store.prompts, store.scans, store.folder / POOLS)
        for path in sorted(parent.glob("*"))
        if path.is_dir() and path.name.partition("+")[0] != current
    ]
    old = tuple(sorted({path.name for path in folders}))
    return _make_removal(None, "vectors of unused encoders", current, old, (), folders)


def _list_maps(store: Store) -> Removal:
    """List maps other than the one that was made last."""
    last = MapManifest.find(store.folder)
    kept = "" if last is None else last.folder
    folders = [path for path in sorted(store.maps.glob("*")) if path.name != kept]
    old = tuple(path.name for path in folders)
    return _make_removal(None, "maps made before the last one", kept or "none", old, (), folders)


def _list_stale_scans(store: Store, current: str) -> Removal:
    """List arrays for search that are of other shards than those of now."""
    stale = list_stale_scans(store, current)
    old = [path.name for path in stale]
    return _make_removal(None, "arrays for search of earlier vectors", current, old, (), stale)


def _list_other_ids(
    connection: Connection, table: str, column: str, current: Collection[str]
) -> tuple[str, ...]:
    query = f'SELECT DISTINCT "{column}" FROM "{table}" WHERE NOT list_contains(?, "{column}")'  # noqa: S608 - names are ours
    return tuple(sorted(row[0] for row in connection.execute(query, [list(current)]).fetchall()))


def _make_removal(
    connection: Connection | None,
    what: str,
    kept: str,
    ids: Collection[str],
    deletions: tuple[Deletion, ...],
    files: Iterable[Path] = (),
) -> Removal:
    there = tuple(path for path in files if path.exists())
    rows = sum(_count(connection, one) for one in deletions) if connection else 0
    return Removal(
        what, kept, len(ids), rows, deletions, there, sum(_measure(path) for path in there)
    )


def _count(connection: Connection, deletion: Deletion) -> int:
    query = f'SELECT count(*) FROM "{deletion.table}" WHERE list_contains(?, "{deletion.column}")'  # noqa: S608 - names are ours
    row = connection.execute(query, [list(deletion.ids)]).fetchone()
    return int(row[0]) if row else 0


def _measure(path: Path) -> int:
    """Return the bytes of a file or of all files in a folder."""
    return sum(file.stat().st_size for file in _walk(path))


def _walk(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else iter([path])
