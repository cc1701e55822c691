"""Mining: which samples of a pool to label or collect first, for the findings of an audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.mining.audited_findings import AuditedFindings, read_findings
from flows.mining.fit_model import fit_model, make_windows, number_windows, refuse_unweighed
from flows.mining.label_weights import make_label_models
from flows.mining.mining_vectors import MiningVectors
from flows.mining.pool_model import By, PoolModel, ScoredRows
from flows.mining.pool_samples import Pool, read_pool
from flows.run.loaded_models import LoadEncoder, identify_encoder, require_encoder
from flows.run.logs import LOG
from flows.run.resolved_audit import ResolvedAudit
from pipeline.arrays import Floats, Ints
from pipeline.errors.scored import scored_samples
from pipeline.exceptions import ConfigError
from pipeline.mining.mined_table import list_mined, list_rates
from pipeline.mining.unit_choice import Chosen, choose_units, find_near, share_budget, shortlist
from pipeline.workspace.store import Store

_BLOCK = 8192  # units of the pool whose vectors are in memory at a time


@dataclass(frozen=True)
class MineOptions:
    """What is asked. ranks: of findings, all when empty. least: cosine of near duplicates."""

    pool: Path
    budget: int
    ranks: tuple[int, ...] = ()
    system: str | None = None
    by: By = By.both
    least: float = 0.99


@dataclass(frozen=True)
class Mined:
    """What was mined.

    table: MINED. rates: MINED_RATES, one row a finding. pool: with its size and rejects. known: how
    many of its samples are in the audit or near duplicates of it, so that they were left out; the
    count is of those that came into question.
    """

    system: str
    run_id: str
    table: pl.DataFrame
    rates: pl.DataFrame
    pool: Pool
    unusable: int
    known: int
    notes: tuple[str, ...]


def mine_pool(
    resolved: ResolvedAudit, store: Store, options: MineOptions, *, load: LoadEncoder
) -> Mined:
    """Choose the samples of a pool that are most worth labelling for the findings of an audit.

    Raises ConfigError for options that do not fit, SearchError where the audit changed since it was
    searched. Vectors are kept in the workspace, so that a killed call goes on where it was.
    """
    audited = read_findings(resolved, store, ranks=options.ranks, system=options.system)
    pool = read_pool(options.pool, resolved, store)
    fresh = _leave_out_known(pool.units, store)
    if fresh.is_empty():
        raise _refuse_pool(options)
    card = identify_encoder(require_encoder(resolved.audit), store, load)
    elsewhere = [] if pool.embeddings is None else [pool.embeddings]
    vectors = MiningVectors(resolved, store, card.encoder_id, load, elsewhere=elsewhere)
    labels = make_label_models(resolved, store, load=load)
    refuse_unweighed(audited, labels, by=options.by)
    model = fit_model(
        resolved, store, audited, vectors, labels, by=options.by, windowed=pool.windowed
    )
    scores, usable = _score_units(fresh, pool, model, resolved, vectors)
    units = fresh.filter(pl.Series(usable))
    if units.is_empty():
        raise _refuse_pool(options)
    scores = scores[usable]
    probabilities = model.weigh(scores)
    quotas = share_budget([one.share for one in audited.findings], options.budget)
    chosen, near = _choose(units, probabilities, quotas, store, vectors, least=options.least)
    if not len(chosen.rows):
        raise ConfigError(
            f"--duplicates {options.least:g}: all {near:,} samples that came into question are "
            "that like samples of the audit by this encoder; give a larger cosine"
        )
    table = list_mined(
        units, probabilities, chosen.rows, chosen.findings,
        ranks=[one.rank for one in audited.findings],
        predicates=[one.predicates for one in audited.findings],
    )  # fmt: skip
    return Mined(
        system=audited.system,
        run_id=audited.run_id,
        table=table,
        rates=_rate(audited, model, quotas, chosen, scores, probabilities),
        pool=pool,
        unusable=fresh.height - units.height,
        known=pool.units.height - fresh.height + near,
        notes=model.notes,
    )


def _refuse_pool(options: MineOptions) -> ConfigError:
    return ConfigError(
        f"--pool {options.pool}: none of its samples can be used; all are known to the audit or "
        "cannot be read"
    )


def _leave_out_known(units: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Return the units whose pixels the audit does not have, each content once."""
    known = store.read_samples().select("content_key")
    fresh = units.join(known, on="content_key", how="anti").sort("path", "sample_id")
    return fresh.unique("content_key", keep="first", maintain_order=True)


def _score_units(
    units: pl.DataFrame,
    pool: Pool,
    model: PoolModel,
    resolved: ResolvedAudit,
    vectors: MiningVectors,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (n, f) scores of the units, block by block, and (n,) which have a vector."""
    parts, usable = [], []
    for start in range(0, units.height, _BLOCK):
        block = units[start : start + _BLOCK]
        LOG.info("pool: %s of %s samples", f"{start:,}", f"{units.height:,}")
        rows = _embed_block(block, pool, model, resolved, vectors)
        parts.append(model.score(rows, vectors, block.height))
        usable.append(vectors.read(block["content_key"])[1])
    if not parts:
        return np.zeros((0, len(model.findings))), np.zeros(0, np.bool_)
    return np.concatenate(parts), np.concatenate(usable)


def _embed_block(
    block: pl.DataFrame,
    pool: Pool,
    model: PoolModel,
    resolved: ResolvedAudit,
    vectors: MiningVectors,
) -> ScoredRows:
    """Embed units of the pool, or the windows of images; return the rows to score."""
    vectors.embed(block, pool.root, what="samples of the pool")
    if model.anchors is not None:
        windows = make_windows(block, model.anchors, resolved.audit.dataset.crop)
        vectors.embed(windows, pool.root, what="windows of the pool")
        return number_windows(windows, block)
    images = pool.images.select(parent_id="sample_id", image_key="content_key")
    parents = pool.images.filter(
        pl.col("sample_id").is_in(block["parent_id"].drop_nulls().implode())
    )
    vectors.embed(parents, pool.root, what="images of the pool")
    keys = block.join(images, on="parent_id", how="left", maintain_order="left").select(
        image_key=pl.coalesce("image_key", "content_key")
    )
    return ScoredRows(block["content_key"], keys["image_key"], np.arange(block.height))


def _choose(
    units: pl.DataFrame,
    probabilities: Floats,
    quotas: Sequence[int],
    store: Store,
    vectors: MiningVectors,
    *,
    least: float,
) -> tuple[Chosen, int]:
    """Choose units, as rows of `units`; return also how many are near what is known."""
    rows: Ints = shortlist(probabilities, quotas)
    own, _ = vectors.read(units["content_key"].gather(rows))
    samples = store.read_samples()
    of_objects = units["parent_id"].is_not_null().any()
    known = scored_samples(samples) if of_objects else samples.filter(pl.col("parent_id").is_null())
    audited, there = vectors.read(known["content_key"])
    near = find_near(own, audited[there], least=least)
    kept = rows[~near]
    chosen = choose_units(probabilities[kept], own[~near], quotas, apart=least)
    return Chosen(kept[chosen.rows], chosen.findings), int(near.sum())


def _rate(
    audited: AuditedFindings,
    model: PoolModel,
    quotas: Sequence[int],
    chosen: Chosen,
    scores: Floats,
    probabilities: Floats,
) -> pl.DataFrame:
    """Return MINED_RATES: for each finding the hits to expect, and those at random."""
    expected = [
        one.expect(scores[chosen.rows[chosen.findings == place]][:, [place]])
        for place, one in enumerate(model.of_units)
    ]
    return list_rates(
        ranks=[one.rank for one in audited.findings],
        predicates=[one.predicates for one in audited.findings],
        quotas=quotas,
        counts=[int((chosen.findings == place).sum()) for place in range(len(quotas))],
        expected=expected,
        random=probabilities.mean(axis=0).tolist(),
        truthful=model.truthful,
    )
