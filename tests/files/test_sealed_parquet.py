"""Tables carry a checksum of their bytes."""

import random
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from pipeline.exceptions import StoreError
from pipeline.files.sealed_parquet import ChecksumError, read_sealed_bytes, write_sealed_bytes
from pipeline.files.whole_files import read_parquet, write_parquet

TABLE = pl.DataFrame(
    {
        "path": [f"{n:05}.png" for n in range(400)],
        "x": pl.Series([n / 7 for n in range(400)]),
        "predicates": [[{"attribute": "hat", "value": "yes"}]] * 400,
        "nothing": pl.Series([None] * 400, dtype=pl.Int64),
    }
)


def test_a_table_comes_back_as_it_was() -> None:
    assert read_sealed_bytes(write_sealed_bytes(TABLE)).equals(TABLE)
    assert read_sealed_bytes(write_sealed_bytes(TABLE.clear())).equals(TABLE.clear())


def test_the_same_table_gives_the_same_bytes() -> None:
    assert write_sealed_bytes(TABLE) == write_sealed_bytes(TABLE.clone())


def test_other_programs_read_it() -> None:
    assert pl.read_parquet(BytesIO(write_sealed_bytes(TABLE))).equals(TABLE)


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    data = write_sealed_bytes(TABLE)
    places = random.Random(5).sample(range(len(data) * 8), 400)  # noqa: S311 - places, not secrets
    missed = []
    for place in places:
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        try:
            table = read_sealed_bytes(bytes(damaged))
        except (ChecksumError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            continue
        if not table.equals(TABLE):  # a bit of the name of the checksum changes no cell
            missed.append(place)
    assert missed == []


def test_a_table_of_an_earlier_version_is_read() -> None:
    buffer = BytesIO()
    TABLE.write_parquet(buffer, statistics=False)
    assert read_sealed_bytes(buffer.getvalue()).equals(TABLE)


@pytest.mark.parametrize("size", [0, 1, 7, 100, -1])
def test_a_table_that_was_cut_is_named(tmp_path: Path, size: int) -> None:
    path = write_parquet(TABLE, tmp_path / "table.parquet")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StoreError, match=r"table\.parquet: cannot be read"):
        read_parquet(path)


def test_a_text_that_looks_like_the_checksum_is_none() -> None:
    table = pl.DataFrame({"text": ["weakspot.crc32", "weakspot.crc32\x18\x0800000000"]})
    assert read_sealed_bytes(write_sealed_bytes(table)).equals(table)
