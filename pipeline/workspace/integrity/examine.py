"""What is damaged in a workspace, and its repair: what can be made again is removed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import DamagedDatabaseError, StoreError
from pipeline.files.sealed_parquet import ChecksumError, read_sealed_bytes
from pipeline.workspace.database import IN_DATABASE
from pipeline.workspace.integrity.sealed_shards import find_damaged, mend_shards
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.manifests import (
    FairnessManifest,
    LabelManifest,
    Manifest,
    MapManifest,
    QualityManifest,
    SamplesManifest,
    ScoreManifest,
    TextsManifest,
)
from pipeline.workspace.scans.scan_store import find_damaged_scans
from pipeline.workspace.shard_place import SHARD_FOLDERS
from pipeline.workspace.store import Store, open_store

POOLS = "mining/embeddings"  # vectors of pools that were mined, and of windows
_TABLES = ("dataset", "outcomes", "slices", "results", "quality", "maps")
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_MANIFESTS: tuple[type[Manifest], ...] = (
    SamplesManifest, TextsManifest, LabelManifest, QualityManifest, ScoreManifest, FairnessManifest,
    MapManifest,
)  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """One damaged file. fault: what is wrong with it. remedy: what its repair does.

    can_repair: whether `repair_workspace` does anything about it.
    """

    path: Path
    fault: str
    remedy: str
    can_repair: bool = True


def examine_workspace(store: Store) -> list[Damage]:
    """Return what is damaged in a workspace: shards, tables, manifests, database, answers.

    Reads everything once. Raises StoreError when a run has the database open.
    """
    return [
        *_examine_shards(store),
        *_examine_scans(store),
        *_examine_tables(store.folder),
        *_examine_manifests(store.folder),
        *_examine_database(store),
        *_examine_answers(store.folder),
    ]


def repair_workspace(store: Store, damages: list[Damage]) -> list[str]:
    """Repair what can be, and return in words what was done, one line each.

    Shards, tables and manifests are removed: the next run makes them again. The database is moved
    aside and a new one made. Answers of people are left as they are.
    """
    done = []
    for one in damages:
        if not one.can_repair:
            continue
        if one.path == store.database:
            done.append(_replace_database(store))
        else:
            one.path.unlink(missing_ok=True)
            done.append(f"removed {one.path}")
    for folder in _list_shard_folders(store):
        mend_shards(folder)  # shards of earlier versions get their checksum
    return done


def _list_shard_folders(store: Store) -> list[Path]:
    folders = [*(store.shard_root / name for name in SHARD_FOLDERS), store.folder / POOLS]
    return sorted({path.parent for folder in folders for path in folder.rglob("*.parquet")})


def _examine_shards(store: Store) -> Iterator[Damage]:
    for folder in _list_shard_folders(store):
        for path, fault in find_damaged(folder).items():
            yield Damage(path, fault, "removed; the next `weakspot run` makes it again")


def _examine_scans(store: Store) -> Iterator[Damage]:
    for path, fault in find_damaged_scans(store.scans).items():
        yield Damage(path, fault, "removed; the next command that needs it makes it again")


def _examine_tables(workspace: Path) -> Iterator[Damage]:
    for name in _TABLES:
        lost = name in {"slices", "results"}
        remedy = (
            "removed; it is lost for this run of the past"
            if lost
            else "removed; the next `weakspot run` makes it again"
        )
        for path in sorted((workspace / name).rglob("*.parquet")):
            try:
                read_sealed_bytes(path.read_bytes())
            except (*_BROKEN, OSError, ChecksumError) as error:
                yield Damage(path, str(error).split("\n")[0], remedy)


def _examine_manifests(workspace: Path) -> Iterator[Damage]:
    for manifest in _MANIFESTS:
        try:
            manifest.find(workspace)
        except StoreError as error:
            fault = str(error).split("\n")[-1].strip(" -")
            remedy = f"removed; `weakspot {manifest.command}` makes it again"
            yield Damage(manifest.locate(workspace), fault, remedy)


def _examine_database(store: Store) -> Iterator[Damage]:
    """Read every block that a table uses: DuckDB keeps a checksum of each."""
    remedy = (
        "moved aside; samples, labels and errors are made again by the next `weakspot run`, the "
        "record of earlier runs and their findings is lost, their reports stay"
    )
    if not store.database.exists():
        yield Damage(store.database, "not there", f"made anew; {remedy.split('; ')[1]}")
        return
    try:
        for table in IN_DATABASE:
            with store.connect() as connection:
                connection.execute(f'SELECT count(*), max(hash(t)) FROM "{table}" t')  # noqa: S608 - names are ours
                connection.fetchall()
    except DamagedDatabaseError as error:
        fault = str(error).removeprefix(f"{store.database}: damaged ").split(";")[0].strip("()")
        yield Damage(store.database, fault, remedy)


def _examine_answers(workspace: Path) -> Iterator[Damage]:
    journal = Journal(workspace)
    for fault in journal.list_faults():
        yield Damage(
            journal.path, fault, "left as it is: the other answers count", can_repair=False
        )


def _replace_database(store: Store) -> str:
    """Move the database and its log aside, make a new one, and return what was done."""
    now = f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}"
    aside = store.database.with_name(f"{store.database.name}.damaged-{now}")
    log = store.database.with_name(f"{store.database.name}.wal")
    if log.exists():
        log.rename(aside.with_name(f"{aside.name}.wal"))
    if not store.database.exists():
        open_store(store.folder)
        return f"made a new {store.database}"
    store.database.rename(aside)
    open_store(store.folder)
    return f"moved {store.database} to {aside.name} and made a new one"
