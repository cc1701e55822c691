"""Parquet files that carry a checksum of all their bytes, so that a damaged one is noticed.

It stands in the metadata of the file, as eight hex digits, and is of the file with zeros in their
place: one file, one rename, and any other program reads it as it reads every Parquet file.
"""

import zlib
from io import BytesIO

import polars as pl

_KEY = "weakspot.crc32"
_BLANK = "0" * 8
_TAIL = 8  # bytes after the footer: its length and the magic number
_BETWEEN = 4  # at most so many bytes of the format are between the key and its value


class ChecksumError(Exception):
    """The bytes of a file are not those that were written."""


def write_sealed_bytes(frame: pl.DataFrame) -> bytes:
    """Return a table as the bytes of a Parquet file that carries its checksum."""
    buffer = BytesIO()
    frame.write_parquet(buffer, statistics=False, metadata={_KEY: _BLANK})
    data = buffer.getvalue()
    at = _find_digits(data)
    return data if at is None else data[:at] + _compute(data, at) + data[at + len(_BLANK) :]


def read_sealed_bytes(data: bytes) -> pl.DataFrame:
    """Return the table of a Parquet file; raises ChecksumError, and what Polars raises.

    Files of earlier versions carry no checksum, and are read as they are.
    """
    at = _find_digits(data)
    if at is not None and data[at : at + len(_BLANK)] != _compute(data, at):
        raise ChecksumError("its checksum is not that of its bytes")
    return pl.read_parquet(BytesIO(data))


def _find_digits(data: bytes) -> int | None:
    """Return where the digits are, None where the file carries none."""
    length = int.from_bytes(data[-_TAIL:-4], "little")
    begin = max(0, len(data) - _TAIL - length)
    found = data.rfind(_KEY.encode(), begin)
    if found < 0:
        return None
    after = found + len(_KEY)
    for at in range(after, after + _BETWEEN + 1):
        digits = data[at : at + len(_BLANK)]
        if len(digits) == len(_BLANK) and all(byte in b"0123456789abcdef" for byte in digits):
            return at
    return None


def _compute(data: bytes, at: int) -> bytes:
    """Return the CRC-32 of the bytes with zeros in place of the digits, as eight hex digits."""
    view = memoryview(data)
    crc = zlib.crc32(_BLANK.encode(), zlib.crc32(view[:at]))
    return f"{zlib.crc32(view[at + len(_BLANK) :], crc):08x}".encode()
