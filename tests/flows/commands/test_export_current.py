"""`weakspot export --current`: what the samples and the manifests name now, nothing older."""

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit
from tests.tiny_clip import write_tiny


def count(audit: SmallAudit, table: str, *options: str) -> int:
    file = audit.folder / "table.parquet"
    answer = call("export", audit.folder / "workspace", table, file, *options)
    assert answer.code == 0, answer.err
    return pl.read_parquet(file).height


@pytest.mark.slow
def test_only_what_is_used_now_is_exported(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config)
    write_tiny(small_audit.folder / "tiny", seed=1)  # another encoder
    for number in range(10):
        (small_audit.images / f"{number:04}.png").unlink()
    run_directly(small_audit.config)
    assert count(small_audit, "embeddings") == 160 + 150
    assert count(small_audit, "embeddings", "--current") == 150
    every = count(small_audit, "measurements")
    assert count(small_audit, "measurements", "--current") == every * 150 // 160
    assert count(small_audit, "runs") == 2
    assert count(small_audit, "runs", "--current") == 1
    assert count(small_audit, "labels", "--current") == count(small_audit, "labels") == 450


def test_all_and_current_are_opposites(small_audit: SmallAudit) -> None:
    answer = call("export", small_audit.folder, "labels", "x.csv", "--all-runs", "--current")
    assert answer.code == 2
    assert "give one of them" in answer.err
