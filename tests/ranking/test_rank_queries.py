"""Rankings of planted vectors, their intervals, and comparisons."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.query_intervals import compare_rankings, resample_mean, summarize_queries
from pipeline.ranking.rank_queries import judge_queries
from pipeline.ranking.region_pooling import to_unit
from pipeline.ranking.relevance import Relevance, make_relevance
from tests.ranking.test_retrieval_precision import measure_by_the_protocol


def plant(
    *, classes: int = 5, each: int = 12, noise: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, Relevance]:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(classes), each)
    centers = rng.normal(size=(classes, 16))
    vectors = to_unit((centers[codes] + noise * rng.normal(size=(len(codes), 16))).astype("f4"))
    names = pl.Series("c", [f"c{code}" for code in codes])
    return vectors, make_relevance(names, np.arange(len(codes)))


def test_clear_classes_are_found_whole_and_noise_is_found_by_chance() -> None:
    vectors, relevance = plant(noise=0.05)
    rows = np.arange(60)
    judged = judge_queries(vectors, vectors, rows, relevance)
    assert judged["average_precision"].to_list() == pytest.approx([1.0] * 60)
    assert judged["relevant"].to_list() == [11] * 60
    assert judged["candidates"].to_list() == [59] * 60

    rng = np.random.default_rng(1)
    random = to_unit(rng.normal(size=(60, 16)).astype("f4"))
    judged = judge_queries(random, random, rows, relevance)
    summary = summarize_queries(judged, relevance.groups).row(0, named=True)
    assert summary["mean_average_precision"] == pytest.approx(summary["chance"], abs=0.03)


@given(st.integers(0, 1000), st.integers(2, 30))
def test_each_query_is_judged_by_the_protocol(seed: int, each: int) -> None:
    vectors, relevance = plant(classes=3, each=each, noise=1.0, seed=seed)
    judged = judge_queries(vectors[:3], vectors, np.arange(3), relevance)
    for query in range(3):
        scores = np.round((vectors[query] @ vectors.T).astype(np.float32), 6)
        ranking = sorted(range(len(vectors)), key=lambda i: (-scores[i], i))
        same = relevance.classes == relevance.classes[query]
        good = set(np.flatnonzero(same).tolist()) - {query}
        area, precisions = measure_by_the_protocol(ranking, good, {query})
        row = judged.row(query, named=True)
        assert row["average_precision"] == pytest.approx(area, abs=1e-3)  # ties at six decimals
        assert row["precision_at_1"] == pytest.approx(precisions[0])


def test_equal_vectors_are_ranked_by_their_rows_whatever_the_block() -> None:
    vectors = np.tile(to_unit(np.ones((1, 7), np.float32)), (130, 1))
    relevance = make_relevance(pl.Series("c", ["a", "b"] * 65), np.arange(130))
    whole = judge_queries(vectors, vectors, np.arange(130), relevance)
    parts = [
        judge_queries(vectors[i : i + 13], vectors, np.arange(i, i + 13), relevance)
        for i in range(0, 130, 13)
    ]
    assert whole.equals(pl.concat(parts))


def test_the_interval_covers_the_mean_and_shrinks_with_queries() -> None:
    values = np.random.default_rng(0).random(400)
    low, high = resample_mean(values, np.arange(400), draws=2000, seed=0)
    error = values.std() / 20
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.004
    )
    wide = resample_mean(values, np.arange(400) // 40, draws=2000, seed=0)
    assert wide[1] - wide[0] < 3 * (high - low)  # ten clusters of independent values
    alike = np.repeat(values[:10], 40)
    spread = resample_mean(alike, np.repeat(np.arange(10), 40), draws=2000, seed=0)
    assert spread[1] - spread[0] > 4 * (high - low)
    assert np.isnan(resample_mean(values[:1], np.zeros(1, int), draws=10, seed=0)).all()


def test_every_class_has_its_row_and_queries_without_relevant_samples_are_counted() -> None:
    vectors, _ = plant()
    names = pl.Series("c", [f"c{i // 12}" for i in range(60)])
    difficulty = pl.Series(["easy"] * 48 + ["junk"] * 12)
    relevance = make_relevance(names, np.arange(60), difficulty=difficulty)
    judged = judge_queries(vectors, vectors, np.arange(60), relevance)
    summary = summarize_queries(judged, relevance.groups)
    assert summary["protocol"].unique(maintain_order=True).to_list() == ["easy", "medium", "hard"]
    easy = summary.filter(pl.col("protocol") == "easy")
    assert easy["class"].to_list() == [None, "c0", "c1", "c2", "c3", "c4"]
    assert easy["queries"].to_list() == [48, 12, 12, 12, 12, 0]
    assert easy["without_relevant"].to_list() == [12, 0, 0, 0, 0, 12]
    assert easy.row(5, named=True)["mean_average_precision"] is None
    assert summary.filter(pl.col("protocol") == "hard")["queries"].to_list() == [0] * 6


def test_a_worse_ranking_is_told_from_a_better_one() -> None:
    good, relevance = plant(noise=0.3)
    poor, _ = plant(noise=2.0)
    rows = np.arange(60)
    first = judge_queries(good, good, rows, relevance)
    second = judge_queries(poor, poor, rows, relevance)
    mean, low, high = compare_rankings(second, first, relevance.groups)["oxford"]
    assert low < mean < high < 0
    assert compare_rankings(first, first, relevance.groups)["oxford"] == (0.0, 0.0, 0.0)
