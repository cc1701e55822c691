"""What was mined last, kept in the workspace until its labels come back."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.mining.mine_pool import Mined
from pipeline.exceptions import StoreError
from pipeline.files.whole_files import read_parquet, write_parquet, write_text
from pipeline.tables import check
from pipeline.tables.mining_tables import MINED, MINED_RATES
from pipeline.workspace.store import Store

_FOLDER = "mining"  # of the workspace; vectors of pools lie in it too
_TABLE, _RATES, _RECORD = "mined.parquet", "rates.parquet", "mined.json"


@dataclass(frozen=True)
class KeptMined:
    """MINED and MINED_RATES as they were chosen, the system, and the root of the pool."""

    table: pl.DataFrame
    rates: pl.DataFrame
    system: str
    root: Path


def keep_mined(mined: Mined, store: Store) -> None:
    """Keep what was mined; it replaces what was mined before."""
    folder = store.folder / _FOLDER
    write_parquet(mined.table, folder / _TABLE)
    write_parquet(mined.rates, folder / _RATES)
    record = {"system": mined.system, "run_id": mined.run_id, "root": str(mined.pool.root)}
    write_text(json.dumps(record, indent=1), folder / _RECORD)


def read_mined(store: Store) -> KeptMined:
    """Return what was mined last. Raises StoreError where nothing was, or it cannot be read."""
    folder = store.folder / _FOLDER
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        system, root = str(record["system"]), Path(record["root"])
    except FileNotFoundError:
        raise StoreError(f"{store.folder}: nothing was mined yet; run `weakspot mine` with --pool "
                         "first") from None  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder / _RECORD}: cannot be read ({error}); mine again") from None
    return KeptMined(
        check(read_parquet(folder / _TABLE), MINED, table="mined"),
        check(read_parquet(folder / _RATES), MINED_RATES, table="mined rates"),
        system,
        root,
    )
