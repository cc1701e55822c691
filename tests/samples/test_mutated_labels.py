"""Broken YOLO and VOC files never end in a traceback, and no object of them is lost."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.dataset import Dataset
from pipeline.exceptions import WeakspotError
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.voc_folder import FILES, ask_voc, write_voc_folder
from tests.samples.yolo_folder import DATA_YAML, LABELS, ask_yolo, write_yolo_folder

TOKENS = st.one_of(
    st.floats().map(str),
    st.integers(-3, 9).map(str),
    st.sampled_from(["0.5", "0", "1", "", "nan", "-inf", "1e999", "x", "0.5\n0.5", "\r", "\x00"]),
    st.text(max_size=3),
)
LINES = st.lists(TOKENS, max_size=9).map(" ".join)


@st.composite
def torn(draw: Callable[..., Any], text: str) -> bytes:
    """Draw the bytes of a text cut off, with bytes overwritten, or with a part doubled."""
    data = bytearray(text.encode("utf-8"))
    action = draw(st.sampled_from(["cut", "overwrite", "double"]))
    start = draw(st.integers(0, len(data) - 1))
    if action == "cut":
        return bytes(data[:start])
    if action == "double":
        end = draw(st.integers(start, len(data)))
        return bytes(data[:end] + data[start:])
    for _ in range(draw(st.integers(1, 5))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@pytest.fixture(scope="module")
def yolo() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield write_yolo_folder(Path(name))


@pytest.fixture(scope="module")
def voc() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield write_voc_folder(Path(name))


def read(dataset: Dataset) -> SampleSet | None:
    try:
        return read_samples(dataset, threads=1)
    except WeakspotError as error:
        assert str(error).encode("utf-8")  # noqa: PT017 - it can be printed
        return None


@pytest.mark.slow
@settings(max_examples=80)
@given(lines=st.lists(LINES, max_size=5), sample=st.sampled_from(["image", "object"]))
def test_every_line_of_a_label_file_is_read_or_rejected(
    yolo: Path, lines: list[str], sample: str
) -> None:
    text = "\n".join(lines)
    file = yolo.parent / "labels" / "train" / "a.txt"
    file.write_bytes(text.encode("utf-8", "replace"))
    found = read(ask_yolo(yolo, sample=sample, split="train"))
    file.write_text(LABELS["train/a"])
    assert found is not None  # b.png has an object
    own = found.objects.filter(path="images/train/a.png").height
    shown = found.rejects.filter(path="images/train/a.png").height
    assert own + shown == sum(bool(line.strip()) for line in text.split("\n"))


@settings(max_examples=80)
@given(data=torn(DATA_YAML))
def test_a_torn_data_yaml_is_read_or_refused_in_words(yolo: Path, data: bytes) -> None:
    yolo.write_bytes(data)
    read(ask_yolo(yolo))
    yolo.write_text(DATA_YAML)


@pytest.mark.slow
@settings(max_examples=80)
@given(data=torn(FILES["a"]), sample=st.sampled_from(["image", "object"]))
def test_every_object_of_a_torn_voc_file_is_read_or_rejected(
    voc: Path, data: bytes, sample: str
) -> None:
    (voc / "Annotations" / "a.xml").write_bytes(data)
    found = read(ask_voc(voc, sample=sample))
    assert found is not None  # b.xml has an object
    other = found.objects.filter(path="b.png").height
    broken = found.rejects.filter(reason_fits(found, r"^(?!a\.xml object|annotation )")).height
    if broken:
        return
    shown = found.rejects["reason"].str.contains(r"^a\.xml object|^annotation ").sum()
    written = len(re.findall(rb"</object>", data))
    assert found.objects.height - other + shown == written


def reason_fits(found: SampleSet, pattern: str) -> Any:
    """Return which rejects have a reason that fits a pattern; polars has no look-ahead."""
    return [re.search(pattern, reason) is not None for reason in found.rejects["reason"]]
