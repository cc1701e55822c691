"""Labelling block by block: each labeller makes what it lacks, and nothing twice."""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from flows.stages.label import label_all
from pipeline.arrays import Vectors
from pipeline.labels.attribute_file import make_given
from pipeline.labels.labellers import GivenLabeller
from pipeline.tables import SAMPLES
from pipeline.workspace.store import open_store


def make_samples(count: int) -> pl.DataFrame:
    names = [f"{number:03}" for number in range(count)]
    frame = pl.DataFrame({"sample_id": names, "content_key": names[::-1], "path": names})
    return frame.select(
        frame[name] if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in SAMPLES.items()
    )


class NotingLabeller(GivenLabeller):
    """Notes which samples it was asked for."""

    seen: ClassVar[dict[str, list[str]]] = {}

    def label(self, samples: pl.DataFrame, vectors: Vectors | None) -> pl.DataFrame:
        self.seen.setdefault(self.label_id, []).extend(samples["sample_id"].to_list())
        return super().label(samples, vectors)


def make_labeller(name: str, samples: pl.DataFrame) -> NotingLabeller:
    columns = samples.select("sample_id", pl.lit("yes").alias(name))
    return NotingLabeller(make_given(name), name, columns)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_what_is_labelled_is_what_was_missing(tmp_path: Path, block: int) -> None:
    store = open_store(tmp_path)
    samples = make_samples(20)
    first, second = make_labeller("one", samples), make_labeller("two", samples)
    store.put_labels(first.label(samples.head(5), None))
    NotingLabeller.seen.clear()
    assert label_all(samples, [first, second], store, block_size=block) == 20
    assert sorted(NotingLabeller.seen["one"]) == samples["sample_id"].to_list()[5:]
    assert sorted(NotingLabeller.seen["two"]) == samples["sample_id"].to_list()
    assert store.read("labels").height == 40
    assert label_all(samples, [first, second], store, block_size=block) == 0
