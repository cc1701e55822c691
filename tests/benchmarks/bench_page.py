"""The page over a million samples: filters beside Datasette, words, start, memory, a run beside.

`python -m tests.benchmarks.bench_page [SAMPLES]`. The peer is Datasette over the same rows in
SQLite with an index on every column, where `datasette` can be imported; both are asked over HTTP in
the same run, in turn, for the same 60 rows by falling error and their count.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import polars as pl

from flows.browsing.snapshots.kept_snapshots import open_snapshot
from pipeline.arrays import Vectors
from pipeline.embeddings.card import EncoderCard
from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.tables import ERRORS, LABELS, SAMPLES, Schema
from pipeline.workspace.manifests import (
    LabelledAttribute,
    LabelManifest,
    SamplesManifest,
    ScoredSystem,
    ScoreManifest,
)
from pipeline.workspace.shards import write_vectors
from pipeline.workspace.store import Store, open_store
from tests.benchmarks.bench_search import draw

SAMPLES_ASKED, ATTRIBUTES, WIDTH = 1_000_000, 12, 512
VALUES = ("yes", "no", "maybe", "unknown")
QUERIES = 40
_SHARD = 1 << 16


def name_samples(count: int) -> list[str]:
    return [f"{number:016x}" for number in range(count)]


def write_workspace(folder: Path, count: int) -> Store:
    """Write samples, labels and errors of one system, and vectors."""
    store = open_store(folder / "workspace")
    ids = pl.Series("sample_id", name_samples(count))
    rows = pl.DataFrame({"sample_id": ids}).with_columns(
        content_key=pl.lit("k") + pl.col("sample_id"), path=pl.col("sample_id") + ".jpg",
        width=pl.lit(640), height=pl.lit(480), size=pl.lit(1), mtime=pl.lit(1),
    )  # fmt: skip
    store.put_samples(fill(rows, SAMPLES))
    SamplesManifest(counts={}, root=str(folder)).write(store.folder)
    rng = np.random.default_rng(0)
    attributes = []
    for number in range(ATTRIBUTES):
        name = f"a{number}"
        codes = rng.choice(len(VALUES), count, p=[0.2, 0.6, 0.15, 0.05])
        labels = pl.DataFrame({"sample_id": ids}).with_columns(
            attribute=pl.lit(name), source=pl.lit("zero-shot"),
            value=pl.Series(np.array(VALUES)[codes]), score=pl.Series(rng.random(count)),
            margin=pl.Series(rng.random(count)), label_id=pl.lit(name),
        )  # fmt: skip
        store.put_labels(fill(labels, LABELS))
        attributes.append(LabelledAttribute(name=name, label_id=name, source="zero-shot",
                                            values=VALUES[:3]))  # fmt: skip
    LabelManifest(attributes=tuple(attributes), truth={}, encoder_id="enc").write(store.folder)
    errors = pl.DataFrame({"sample_id": ids}).with_columns(
        error_id=pl.lit("e"), system=pl.lit("system"), metric=pl.lit("loss"),
        error=pl.Series(rng.random(count).round(6)),
    )  # fmt: skip
    store.put_errors(fill(errors, ERRORS))
    ScoreManifest(systems={"system": ScoredSystem(error_id="e")}).write(store.folder)
    write_scan(store, rows["content_key"], count)
    return store


def write_scan(store: Store, keys: pl.Series, count: int) -> None:
    vectors = draw(count, WIDTH, seed=1)
    for start in range(0, count, _SHARD):
        part = slice(start, start + _SHARD)
        write_vectors(Vectors(keys[part], vectors[part].astype(np.float32), "enc"),
                      store.embeddings)  # fmt: skip
    card = EncoderCard("local-dir:nowhere||auto", None, "enc", WIDTH, 30.0)
    path = store.embeddings / "enc" / "encoder.json"
    path.write_text(card.to_json(), encoding="utf-8")
    texts = [*NEUTRAL_TEXTS, *(f"text {number}" for number in range(QUERIES))]
    values = np.random.default_rng(2).normal(size=(len(texts), WIDTH)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    write_vectors(Vectors(pl.Series(texts), values, "enc"), store.prompts)


def fill(rows: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return rows.select(
        pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, kind).alias(name)
        for name, kind in schema.items()
    )


def write_sqlite(store: Store, file: Path) -> None:
    """Write the rows of the snapshot as SQLite, with an index on each column that is asked for."""
    samples = open_snapshot(store).samples
    names = [f"a{number}" for number in range(ATTRIBUTES)]
    table = samples.select(
        "sample_id", "path", *(pl.col(f"label.{n}").cast(pl.String).alias(n) for n in names),
        error="error.system",
    )  # fmt: skip
    with sqlite3.connect(file) as connection:
        columns = ", ".join(f"{n} TEXT" for n in names)
        connection.execute(
            f"CREATE TABLE samples (sample_id TEXT PRIMARY KEY, path TEXT, {columns}, error REAL)"
        )
        marks = ", ".join("?" * table.width)
        connection.executemany(f"INSERT INTO samples VALUES ({marks})", table.iter_rows())  # noqa: S608 - a count of question marks
        for name in (*names, "error"):
            connection.execute(f"CREATE INDEX by_{name} ON samples ({name})")
        connection.execute("ANALYZE")


@contextmanager
def run_server(command: Sequence[str], address: str) -> Iterator[tuple[int, float]]:
    """Start a server; yields its process id and the seconds until it answered."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                fetch(address)
                break
            except OSError:
                if process.poll() is not None:
                    raise
                time.sleep(0.02)
        yield process.pid, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(timeout=30)


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=120) as answer:  # noqa: S310 - our own
        return bytes(answer.read())


def measure(addresses: Sequence[str], *, fetch_one: Callable[[str], object] = fetch) -> list[float]:
    """Return the seconds of each request, in order."""
    seconds = []
    for address in addresses:
        start = time.perf_counter()
        fetch_one(address)
        seconds.append(time.perf_counter() - start)
    return seconds


def read_processor(pid: int) -> float:
    """Return the seconds of processor time of a process: more than it takes on idle cores."""
    cells = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def measure_server(pid: int, addresses: Sequence[str]) -> tuple[list[float], str]:
    """Return the seconds of each request, and these with the processor time in words."""
    before = read_processor(pid)
    seconds = measure(addresses)
    each = (read_processor(pid) - before) / len(addresses)
    return seconds, f"{describe(seconds)}, processor {1000 * each:.0f} ms each"


def describe(seconds: Sequence[float]) -> str:
    ordered = np.array(seconds) * 1000
    return f"median {np.median(ordered):.0f} ms, p95 {np.percentile(ordered, 95):.0f} ms"


def read_memory(pid: int) -> tuple[float, float]:
    """Return the resident gigabytes of a process, and how much of it is of mapped files."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    cells = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if " kB" in line}
    return int(cells["VmRSS"]) / 1e6, int(cells["RssFile"]) / 1e6


def draw_filters(rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return conditions of one to three attributes, as (name, value) pairs in a row."""
    chosen = []
    for _ in range(QUERIES):
        names = rng.choice(ATTRIBUTES, rng.integers(1, 4), replace=False)
        pairs = [(f"a{n}", str(rng.choice(VALUES[:3]))) for n in names]
        chosen.append(tuple(part for pair in pairs for part in pair))
    return chosen


def ask_ours(filters: Sequence[tuple[str, ...]], base: str, path: str) -> list[str]:
    texts = [
        " and ".join(f"{n} = {v}" for n, v in zip(f[::2], f[1::2], strict=True)) for f in filters
    ]
    return [f"{base}/{path}?{urlencode({'where': text, 'limit': 60})}" for text in texts]


def ask_peer(filters: Sequence[tuple[str, ...]], base: str) -> list[str]:
    addresses = []
    for one in filters:
        query = {
            "_sort_desc": "error",
            "_size": "60",
            **dict(zip(one[::2], one[1::2], strict=True)),
        }
        addresses.append(f"{base}/rows/samples?{urlencode(query)}")
    return addresses


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES_ASKED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = write_workspace(folder, count)
        start = time.perf_counter()
        open_snapshot(store)
        print(f"{count:,} samples, {ATTRIBUTES} attributes: first snapshot "
              f"{time.perf_counter() - start:.1f} s", flush=True)  # fmt: skip
        filters = draw_filters(np.random.default_rng(5))
        ours = "http://127.0.0.1:8377"
        command = [sys.executable, "-m", "flows.commands.app", "serve", str(store.folder),
                   "--port", "8377", "--read-only"]  # fmt: skip
        with run_server(command, f"{ours}/") as (pid, seconds):
            busy = read_processor(pid)
            print(f"start {seconds:.1f} s, processor {busy:.1f} s (bound 5)", flush=True)
            fetch(ask_ours(filters[:1], ours, "samples")[0])
            pages, words = measure_server(pid, ask_ours(filters, ours, "samples"))
            print(f"filter, page of 60 with evidence: {words} (bound 150)", flush=True)
            _, words = measure_server(pid, ask_ours(filters, ours, "samples"))
            print(f"the same again: {words}", flush=True)
            fetch(f"{ours}/samples?text=text+0")
            texts = [
                f"{ours}/samples?{urlencode({'text': f'text {n}'})}" for n in range(1, QUERIES)
            ]
            _, words = measure_server(pid, texts)
            print(f"search by words: {words} (bound 400)", flush=True)
            memory, mapped = read_memory(pid)
            print(
                f"memory {memory:.2f} GB, {mapped:.2f} of it mapped files (bound 2.5)", flush=True
            )
        compare_with_peer(store, folder, filters, pages)


def compare_with_peer(
    store: Store, folder: Path, filters: Sequence[tuple[str, ...]], pages: Sequence[float]
) -> None:
    peer_command = os.environ.get("DATASETTE") or shutil.which("datasette")
    if peer_command is None:
        print("no peer: datasette is not installed, nor named by DATASETTE")
        return
    write_sqlite(store, folder / "rows.db")
    settings = {"sql_time_limit_ms": "60000", "suggest_facets": "off"}
    command = [peer_command, str(folder / "rows.db"), "--port", "8378"]
    for name, value in settings.items():
        command += ["--setting", name, value]
    base = "http://127.0.0.1:8378"
    with run_server(command, f"{base}/-/versions.json"):
        fetch(ask_peer(filters[:1], base)[0])
        peer = measure(ask_peer(filters, base))
    ratio = np.percentile(peer, 95) / np.percentile(pages, 95)
    middle = np.median(peer) / np.median(pages)
    print(
        f"Datasette, the same rows in SQLite: {describe(peer)}; ours is {middle:.1f} times as "
        f"fast at the median, {ratio:.1f} at p95 (wanted 2)"
    )


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
