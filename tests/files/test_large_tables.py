"""A table that does not fit in memory is refused in one line, and fast."""

import time
from pathlib import Path

import polars as pl
import pytest

from pipeline.exceptions import DatasetError
from pipeline.files.free_memory import find_free_memory
from pipeline.files.table_file import read_table, refuse_too_large

ROWS = 50_000_000


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty million equal rows, in a file of a few kilobytes."""
    path = tmp_path_factory.mktemp("bomb") / "errors.parquet"
    rows = pl.LazyFrame({"n": [0]}).select(
        path=pl.lit("0000.png").repeat_by(ROWS).explode(), loss=pl.lit(1.0)
    )
    rows.collect(engine="streaming").write_parquet(path)
    assert path.stat().st_size < 1_000_000
    return path


@pytest.mark.slow
def test_fifty_million_rows_are_refused_in_one_line(bomb: Path) -> None:
    begin = time.perf_counter()
    with pytest.raises(DatasetError, match=r"50,000,000 rows take about .* GB of memory") as said:
        refuse_too_large(bomb, error=DatasetError, memory=4_000_000_000)
    assert "\n" not in str(said.value)
    assert time.perf_counter() - begin < 20  # a fraction of a second on an idle machine


def test_a_table_that_fits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "errors.parquet"
    table = pl.DataFrame({"path": ["a.png", "b.png"], "loss": [0.0, 1.0]})
    table.write_parquet(path)
    assert read_table(path, error=DatasetError).equals(table)
    refuse_too_large(path, error=DatasetError, memory=1_000)
    with pytest.raises(DatasetError, match="leave out rows and columns"):
        refuse_too_large(path, error=DatasetError, memory=100)


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="reads how much memory is free")
def test_free_memory_is_known_here() -> None:
    assert (find_free_memory() or 0) > 1_000_000
