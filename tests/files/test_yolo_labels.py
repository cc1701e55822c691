"""Lines of YOLO label files keep the file and the line that they came from."""

import polars as pl
import pytest

from pipeline.files.yolo_labels import read_class, split_lines


def test_empty_lines_are_left_out_and_numbers_count_them() -> None:
    lines = split_lines(["0 1\n\n  7 2  \r\n", None, "", "\n3"])
    assert lines.select("file", "line", "text").rows() == [
        (0, 1, "0 1"),
        (0, 3, "7 2"),
        (3, 2, "3"),
    ]


@pytest.mark.parametrize(
    ("token", "expected"),
    [("7", "7"), ("07", "7"), ("7.0", "7"), ("0", "0"), ("000", "0"), ("7.5", None), ("-1", None),
     ("x", None), ("", None), ("1234567", None)],
)  # fmt: skip
def test_a_class_is_a_number_whatever_its_zeros(token: str, expected: str | None) -> None:
    frame = pl.DataFrame({"tokens": [[token, "0.5"]]})
    assert frame.select(read_class(pl.col("tokens"))).item() == expected
