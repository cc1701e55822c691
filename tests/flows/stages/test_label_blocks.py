"""Labelling block by block: each labeller makes what it lacks, and nothing twice."""

from pathlib import Path

import polars as pl
import pytest

from flows.stages.label import label_all, label_rows, list_works
from flows.stages.labellers import Labeller
from pipeline.labels.attribute_file import make_given
from pipeline.tables import LABELS, SAMPLES, Vectors, check
from pipeline.workspace.store import open_store


def make_samples(count: int) -> pl.DataFrame:
    names = [f"{number:03}" for number in range(count)]
    frame = pl.DataFrame({"sample_id": names, "content_key": names[::-1], "path": names})
    return frame.select(
        frame[name] if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in SAMPLES.items()
    )


def make_labeller(name: str, seen: list[str]) -> Labeller:
    """Make a labeller that notes which samples it was asked for."""

    def label(rows: pl.DataFrame, _vectors: Vectors | None) -> pl.DataFrame:
        seen.extend(rows["sample_id"].to_list())
        made = rows.select("sample_id", attribute=pl.lit(name), source=pl.lit("given"))
        made = made.with_columns(
            value=pl.lit("yes"), score=None, margin=None, label_id=pl.lit(name)
        )
        return check(made, LABELS, table="labels")

    return Labeller(make_given(name), name, "given", label)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_what_is_labelled_is_what_was_missing(tmp_path: Path, block: int) -> None:
    store = open_store(tmp_path)
    samples = make_samples(20)
    seen: dict[str, list[str]] = {"one": [], "two": []}
    first = make_labeller("one", seen["one"])
    store.put_labels(first.label(samples.head(5), None))
    seen["one"].clear()
    labellers = [first, make_labeller("two", seen["two"])]
    works = list_works(labellers, samples, store)
    assert label_all(samples, works, store, label=label_rows, size=block) == 20
    assert sorted(seen["one"]) == samples["sample_id"].to_list()[5:]
    assert sorted(seen["two"]) == samples["sample_id"].to_list()
    assert store.read("labels").height == 40
    again = list_works(labellers, samples, store)
    assert label_all(samples, again, store, label=label_rows, size=block) == 0
