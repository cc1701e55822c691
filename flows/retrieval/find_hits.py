"""One search: the best samples, how many hits there are, and how a system does on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.retrieval.encode_query import QueryEncoder
from flows.retrieval.search_session import SearchSession
from pipeline.arrays import Array, Ints
from pipeline.retrieval.hit_count import HitCount, count_image_hits, count_text_hits
from pipeline.retrieval.int8_codes import Codes, find_nearest_by_codes, score_by_codes
from pipeline.retrieval.nearest import Ranked, find_nearest, score_rows
from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.retrieval.query import Query, Vector, choose_diverse, rank_among
from pipeline.statistics.estimates import Estimate, estimate_mean, number_clusters, subtract

_COMPARED = 64  # samples that the scores of a picture are compared with
_POOL = 50  # times `top`: how far down diverse hits are looked for
_BEST = 10  # samples that must fit better than all neutral texts, or nothing is a hit


@dataclass(frozen=True)
class HitErrors:
    """Errors of a system in the hits and in the rest of what was searched, by the hits announced.

    difference, interval: of hits less rest, with its 95 % interval.
    """

    system: str
    hits: Estimate
    rest: Estimate
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Found:
    """What a search found.

    table: one row a result: rank, sample_id, path, x, y, w, h, category, score, neutral (the share
    of neutral texts, or of other samples, that fit this sample less), probability (of being a hit,
    null where it is not known), and error.SYSTEM of each. searched: how many samples. count: None
    where no end is known. hit_ids: sample_ids of the hits announced, best first.
    """

    query: Query
    table: pl.DataFrame
    searched: int
    count: HitCount | None
    hit_ids: pl.Series
    errors: tuple[HitErrors, ...]
    notes: tuple[str, ...] = ()


def find_hits(
    session: SearchSession,
    encoder: QueryEncoder,
    query: Query,
    samples: pl.DataFrame,
    *,
    texts: Sequence[str] = (),
    top: int,
    unlike: bool = False,
    diverse: float | None = None,
    codes: Codes | None = None,
    errors: Mapping[str, pl.DataFrame],
) -> Found:
    """Search `samples`, of those of the session, for the query.

    Words have hits only where the best samples fit them better than every neutral text. texts:
    those of the query, which are not neutral. unlike: the least similar ones. diverse: least
    1 - cosine between two results. codes: read in place of the vectors, for the same results; the
    number of hits may differ in its last digit. errors: sample_id and error of each system.
    """
    asked = query.reversed if unlike else query
    vectors, rows = session.scan.vectors, samples["row"].to_numpy().astype(np.int64)
    scored = None if codes is None else score_by_codes(codes, asked.vector, rows)
    scores = score_rows(vectors, asked.vector, rows) if scored is None else scored.scores
    count = None if unlike else _count(query, scores, logit_scale=session.card.logit_scale)
    wide = max(_BEST, top if diverse is None else _POOL * top)
    announced = 0 if count is None else min(count.rounded, len(rows))
    count_wanted = max(wide, announced)
    if codes is None:
        ranked = find_nearest(vectors, asked.vector, count_wanted, rows, scores=scores)
    else:
        ranked, _ = find_nearest_by_codes(
            codes, vectors, asked.vector, count_wanted, rows, scored=scored
        )
    neutral = _choose_neutral(session, encoder, query, texts)
    if query.kind == "text":
        best = rank_among(vectors[rows[ranked.places[:_BEST]]], query.wanted, neutral)
        if float(np.median(best)) < 1.0:
            count, announced = None, 0
    shown = _choose(vectors, rows, ranked, top, diverse)
    places = ranked.places[shown]
    table = samples[places].select(
        pl.Series("rank", shown + 1),
        *("sample_id", "path", "x", "y", "w", "h", "category"),
        pl.Series("score", ranked.scores[shown] * (-1.0 if unlike else 1.0)),
        pl.Series("neutral", rank_among(vectors[rows[places]], query.wanted, neutral)),
        pl.Series(
            "probability",
            [None] * len(places) if count is None else count.probabilities[places],
            dtype=pl.Float64,
        ),
    )
    for system, own in errors.items():
        named = own.select("sample_id", pl.col("error").alias(f"error.{system}"))
        table = table.join(named, on="sample_id", how="left", maintain_order="left")
    hits = samples["sample_id"].gather(ranked.places[:announced])
    compared = [] if count is None else [
        _compare_errors(system, own, samples, hits) for system, own in errors.items()
    ]  # fmt: skip
    return Found(
        query=query,
        table=table,
        searched=samples.height,
        count=count,
        hit_ids=hits,
        errors=tuple(one for one in compared if one is not None),
        notes=tuple(_note(table, asked=top, diverse=diverse)),
    )


def _count(query: Query, scores: Array, *, logit_scale: float) -> HitCount | None:
    if query.kind == "text":
        return count_text_hits(scores, logit_scale=logit_scale)
    return count_image_hits(scores)


def _choose(vectors: Array, rows: Ints, ranked: Ranked, top: int, diverse: float | None) -> Ints:
    """Return which of the ranked places are shown, as positions among them."""
    if diverse is None:
        return np.arange(min(top, len(ranked.places)))
    pool = vectors[rows[ranked.places[: _POOL * top]]]
    return np.array(choose_diverse(pool, top, distance=diverse), np.int64)


def _choose_neutral(
    session: SearchSession, encoder: QueryEncoder, query: Query, texts: Sequence[str]
) -> Vector:
    """Return what scores are compared with: vectors of neutral texts, or of other samples."""
    if query.kind == "text":
        return encoder.encode_texts([text for text in NEUTRAL_TEXTS if text not in texts])
    n = len(session.scan.vectors)
    evenly = np.unique(np.linspace(0, n - 1, min(_COMPARED, n)).astype(np.int64))
    return session.scan.vectors[evenly].astype(np.float32)


def _compare_errors(
    system: str, errors: pl.DataFrame, samples: pl.DataFrame, hits: pl.Series
) -> HitErrors | None:
    """Compare the errors of the hits and of the rest; samples of one image count together.

    None where all have the same error, as samples that were chosen by it.
    """
    image = pl.coalesce("parent_id", "sample_id").alias("image")
    known = samples.select("sample_id", image).join(
        errors, on="sample_id", how="inner", maintain_order="left"
    )
    inside = known["sample_id"].is_in(hits.implode()).to_numpy()
    if not inside.any() or inside.all() or known["error"].n_unique() == 1:
        return None
    values = number_clusters(known["error"].to_numpy().astype(np.float64), known["image"])
    own = estimate_mean(values, np.flatnonzero(inside))
    rest = estimate_mean(values, np.flatnonzero(~inside))
    difference, interval = subtract(own, rest)
    return HitErrors(system, own, rest, difference, interval)


def _note(table: pl.DataFrame, *, asked: int, diverse: float | None) -> list[str]:
    if diverse is None or table.height == asked:
        return []
    return [f"only {table.height:,} of the {_POOL * asked:,} best samples are {diverse:g} apart"]


def stack(rows: list[Vector], width: int) -> Vector:
    """Return vectors as rows, (0, width) without any."""
    return np.stack(rows) if rows else np.zeros((0, width), np.float32)
