"""The row of one run: what it was asked, what it counted, how long each stage took."""

import datetime as dt
import importlib.metadata
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from flows.run.logs import LOG
from pipeline.config.audit import Audit
from pipeline.tables import RUNS
from pipeline.workspace.kept.kept_runs import read_last_search
from pipeline.workspace.manifests import SearchRecord
from pipeline.workspace.store import Store

PACKAGES = ("duckdb", "numpy", "open_clip_torch", "polars", "prefect", "sliceline", "torch")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def start_after(store: Store) -> str:
    """Return the time at which a run starts: now, but later than every run of the workspace.

    The last run is the one that started last, whatever the clock said: where it was set back since,
    or ran ahead once, the next millisecond is taken.
    """
    runs = store.read("runs").filter(pl.col("started_at") >= _now())
    if runs.is_empty():
        return _now()
    last = runs.sort("started_at", "run_id").row(-1, named=True)
    LOG.warning(
        "the clock is behind run %s, which started at %s: was it set back?",
        last["run_id"], last["started_at"],
    )  # fmt: skip
    later = dt.datetime.fromisoformat(last["started_at"]) + dt.timedelta(milliseconds=1)
    return later.isoformat(timespec="milliseconds")


def find_last_search(store: Store) -> dict[str, Any] | None:
    """Return the row of the run that searched last, None when none did."""
    return read_last_search(store)


def find_last_like(store: Store, name: str, limit: int | None) -> dict[str, Any] | None:
    """Return the row of the run of an audit that searched last with the same limit, or None."""
    own = pl.col("sample_limit").eq_missing(pl.lit(limit, dtype=pl.Int64))
    runs = store.read("runs").filter((pl.col("search") != "") & (pl.col("name") == name) & own)
    return None if runs.is_empty() else runs.sort("started_at", "run_id").row(-1, named=True)


def _make_run_id(started_at: str) -> str:
    """Return an id that sorts by time and does not collide."""
    return f"{dt.datetime.fromisoformat(started_at):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


@dataclass
class RunRecord:
    """Filled while the stages run; `to_frame` makes the row of the `runs` table."""

    audit: Audit
    limit: int | None = None  # as --limit
    started_at: str = field(default_factory=_now)
    run_id: str = ""  # made of the time
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    search: SearchRecord | None = None
    gates: Mapping[str, str] = field(default_factory=dict)  # system -> verdict
    encoder_id: str | None = None
    kept: dict[str, str] = field(default_factory=dict)  # stage -> the run whose result still holds

    def __post_init__(self) -> None:
        """Name the run."""
        self.run_id = self.run_id or _make_run_id(self.started_at)

    def get_result_id(self, stage: str) -> str:
        """Return the run that a stage's result is of: this one unless that was kept."""
        return self.kept.get(stage, self.run_id)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds spent inside to `stage`."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)

    def to_frame(self) -> pl.DataFrame:
        """Return the row as of now; an unfinished search is an empty text."""
        versions = {name: _version(name) for name in ("weakspot", *PACKAGES)}
        row = {
            "run_id": self.run_id,
            "name": self.audit.name,
            "started_at": self.started_at,
            "finished_at": _now(),
            "config": self.audit.model_dump_json(),
            "versions": json.dumps(versions),
            "encoder_id": self.encoder_id,
            "counts": json.dumps(self.counts),
            "timings": json.dumps(self.seconds),
            "search": self.search.model_dump_json() if self.search else "",
            "sample_limit": self.limit,
        }
        return pl.DataFrame([row], schema=dict(RUNS))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
