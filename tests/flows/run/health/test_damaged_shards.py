"""A run over damaged shards: they are made again, said in one line, and change nothing."""

import logging
from pathlib import Path

import polars as pl
import pytest

from flows.run.health.damage import REMADE
from pipeline.exceptions import StoreError
from pipeline.workspace.store import find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import write_audit


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data)


def read_all(workspace: Path) -> dict[str, pl.DataFrame]:
    store = find_store(workspace)
    labels = store.read("labels").drop("label_id")
    return {"labels": labels, "measurements": store.read("measurements")}


def test_damaged_shards_of_every_kind_are_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit = write_audit(tmp_path, count=40)
    first = run_directly(audit.config)
    workspace = tmp_path / "workspace"
    names = sorted(path.relative_to(workspace) for path in workspace.glob("*/**/*-*.parquet"))
    shards = [p for p in names if p.parts[0] in {"embeddings", "prompts", "measurements"}]
    assert {path.parts[0] for path in shards} == {"embeddings", "prompts", "measurements"}
    before, content = read_all(workspace), {p: (workspace / p).read_bytes() for p in shards}
    for path in shards:
        damage(workspace / path)
    with caplog.at_level(logging.WARNING, logger="weakspot"):
        again = run_directly(audit.config)
    said = [line for line in caplog.messages if line.startswith("damaged, removed and made again")]
    assert len(said) == len(shards)
    assert again.counts[REMADE] == len([p for p in shards if p.parts[0] != "prompts"])
    assert again.counts["images_embedded"] == first.counts["images_embedded"]
    assert {p: (workspace / p).read_bytes() for p in shards} == content
    for name, frame in read_all(workspace).items():
        assert frame.equals(before[name]), name
    assert [f["predicates"] for f in again.findings] == [f["predicates"] for f in first.findings]


def test_a_stage_that_does_not_make_a_damaged_shard_refuses_it(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=40)
    run_directly(audit.config, ["embed"])
    (shard,) = (tmp_path / "workspace" / "embeddings").glob("*/*.parquet")
    damage(shard)
    with pytest.raises(StoreError, match=r"checksum.*`weakspot run` removes it"):
        run_directly(audit.config, ["label"])
