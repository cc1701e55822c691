"""Rank all samples for each query, and judge where the relevant ones come."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.ranking.relevance import Relevance
from pipeline.ranking.retrieval_precision import (
    CUTS,
    average_precision,
    expect_by_chance,
    precision_at,
)
from pipeline.tables import Schema, check

JUDGED_QUERIES: Schema = {  # one row a query and protocol
    "query": pl.Int64(),  # row of the sample
    "protocol": pl.String(),  # oxford, or easy, medium and hard
    "class": pl.String(),
    "relevant": pl.Int64(),  # samples that should be found
    "candidates": pl.Int64(),  # samples that count
    "average_precision": pl.Float64(),  # NaN, as the following, without a relevant sample
    **{f"precision_at_{cut}": pl.Float64() for cut in CUTS},
    "chance": pl.Float64(),  # average precision of a random order
}
_BLOCK = 64  # queries whose scores are in memory at a time
_DECIMALS = 6  # of a cosine: equal vectors get equal scores, whatever the order of summation


def judge_queries(
    queries: NDArray[np.float32],
    vectors: NDArray[np.float32],
    rows: Ints,
    relevance: Relevance,
) -> pl.DataFrame:
    """Return JUDGED_QUERIES: how well each query ranks the samples.

    queries: (q, d) unit vectors of the queries. vectors: (n, d) of all samples. rows: (q,) the
    sample that each query is of, left out of its own ranking. Samples are ranked by falling cosine,
    equal ones in the order of their rows.
    """
    parts = []
    for start in range(0, len(rows), _BLOCK):
        scores = queries[start : start + _BLOCK] @ vectors.T  # (b, n)
        orders = np.argsort(-np.round(scores, _DECIMALS), axis=1, kind="stable")
        for order, row in zip(orders, rows[start : start + _BLOCK].tolist(), strict=True):
            parts += _judge_order(order, row, relevance)
    frame = pl.DataFrame(
        parts, schema={n: JUDGED_QUERIES[n] for n in JUDGED_QUERIES if n != "chance"}
    )
    chance = expect_by_chance(frame["relevant"].to_numpy(), frame["candidates"].to_numpy())
    frame = frame.with_columns(chance=pl.Series(chance, dtype=pl.Float64))
    return check(frame, JUDGED_QUERIES, table="judged queries")


def _judge_order(order: Ints, row: int, relevance: Relevance) -> list[Mapping[str, object]]:
    """Judge the ranking of one query by each protocol."""
    judged: list[Mapping[str, object]] = []
    for protocol, relevant, ignored in relevance.judge(row):
        counted = order[~ignored[order]]
        ranks = np.flatnonzero(relevant[counted])
        judged.append(
            {
                "query": row,
                "protocol": protocol,
                "class": relevance.names[relevance.classes[row]],
                "relevant": len(ranks),
                "candidates": len(counted),
                "average_precision": average_precision(ranks),
                **{f"precision_at_{cut}": precision_at(ranks, cut) for cut in CUTS},
            }
        )
    return judged
