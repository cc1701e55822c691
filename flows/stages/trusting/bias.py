"""Words of probe files on the images of groups, judged against neutral words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flows.retrieval.encode_query import QueryEncoder
from flows.retrieval.search_session import SearchSession, keep_access, open_search
from flows.run.loaded_models import LoadEncoder, load_open_clip
from flows.run.resolved_audit import ResolvedAudit
from flows.run.staleness import refuse_unlabelled
from flows.stages.ranking.sample_classes import SampleClasses, read_classes
from pipeline.arrays import Floats, Ints
from pipeline.exceptions import ConfigError
from pipeline.probes.judge_probes import GroupedImages, ProbeSettings, judge_probes
from pipeline.probes.probe_file import ProbeFile, read_neutral_nouns
from pipeline.probes.wordings import Cosines
from pipeline.workspace.kept.kept_trust import BiasManifest, put_trust
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.manifests import LabelManifest

MOST_IMAGES = 10_000  # of known group; more change an interval little and take minutes
_OPTION = "--groups"


@dataclass(frozen=True)
class BiasOptions:
    """How probes are asked for.

    groups: an attribute or a column. adjust: attributes or columns. people: a column whose equal
    cells are one person; None takes that of [attributes] probe_groups. neutral: pairs of neutral
    nouns. neutral_file: other nouns. by_labels: groups by labels where true values are known too.
    """

    groups: str
    adjust: tuple[str, ...] = ()
    people: str | None = None
    neutral: int = 400
    neutral_file: Path | None = None
    by_labels: bool = False
    min_clusters: int = 30
    seed: int = 0


@dataclass(frozen=True)
class BiasResult:
    """The table PROBES and what it is of."""

    probes: pl.DataFrame
    manifest: BiasManifest


def judge_bias(
    resolved: ResolvedAudit,
    probes: Sequence[ProbeFile],
    options: BiasOptions,
    *,
    load: LoadEncoder = load_open_clip,
) -> BiasResult:
    """Judge the pairs of the probe files on the images of an audit, and keep the table `probes`.

    Raises ConfigError for a name that is not known and for groups of one value, StoreError where
    nothing is embedded or labelled.
    """
    audit = resolved.audit
    session = open_search(audit.workspace)
    refuse_unlabelled(resolved, session.store)
    rows, found = _choose_rows(session, options)
    samples = session.samples[rows]
    images = _group_images(session, samples, found.values.gather(rows), options, resolved)
    nouns = read_neutral_nouns(options.neutral_file)
    settings = ProbeSettings(
        neutral=options.neutral,
        min_clusters=options.min_clusters,
        max_shift=audit.gates.max_probe_shift if audit.gates else None,
        seed=options.seed,
    )
    with keep_access(audit.workspace), lock_workspace(audit.workspace):
        encoder = QueryEncoder(session, load)
        vectors = session.scan.vectors[samples["row"].to_numpy()].astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = _compare_files(vectors, probes, nouns, encoder)
        table = judge_probes(probes, cosines, images, nouns=nouns, settings=settings)
        left_out = found.values.drop_nulls().len() - len(rows)
        manifest = BiasManifest(
            encoder_id=session.card.encoder_id, attribute=options.groups, source=found.source,
            adjust=options.adjust, images=len(rows), neutral=options.neutral,
            labels=_list_labels(session, options),
            notes=_list_notes(session, left_out, images),
        )  # fmt: skip
        put_trust(table, session.store, table="probes")
        manifest.write(session.store.folder)
    return BiasResult(table, manifest)


def _list_labels(session: SearchSession, options: BiasOptions) -> dict[str, str]:
    """Return the label_id of each attribute by which groups or strata are made."""
    manifest = LabelManifest.read(session.store.folder)
    made = {one.name: one.label_id for one in manifest.attributes}
    read = made | dict(manifest.truth)
    if options.by_labels:
        read |= {options.groups: made[options.groups]}
    return {name: read[name] for name in (options.groups, *options.adjust) if name in read}


def _compare_files(
    vectors: Floats, probes: Sequence[ProbeFile], nouns: Sequence[str], encoder: QueryEncoder
) -> dict[str, Cosines]:
    """Return the cosines of each file; files with the same templates share theirs."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for file in probes:
        shared.setdefault(file.templates, []).extend(file.words)
    made = {
        templates: compare_words(vectors, [*words, *nouns], templates, encoder)
        for templates, words in shared.items()
    }
    return {file.name: made[file.templates] for file in probes}


def compare_words(
    vectors: Floats, words: Sequence[str], templates: Sequence[str], encoder: QueryEncoder
) -> Cosines:
    """Return the cosines of (n, d) unit vectors with words, in each template and in their mean."""
    unique = list(dict.fromkeys(words))
    texts = [template.replace("{}", word) for template in templates for word in unique]
    made = encoder.encode_texts(texts).astype(np.float64)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    by_template = made.reshape(len(templates), len(unique), -1)
    means = by_template.mean(axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    each = {
        (template, word): column
        for template, own in zip(templates, by_template, strict=True)
        for word, column in zip(unique, (vectors @ own.T).T, strict=True)
    }
    return Cosines(dict(zip(unique, (vectors @ means.T).T, strict=True)), each)


def _choose_rows(session: SearchSession, options: BiasOptions) -> tuple[Ints, SampleClasses]:
    """Return the rows of the samples whose group is known, at most MOST_IMAGES, and all groups."""
    samples = session.samples.with_columns(group=pl.coalesce("parent_id", "sample_id"))
    found = read_classes(
        session.store, samples, options.groups, option=_OPTION, may_be_modelled=True,
        prefer_labels=options.by_labels,
    )  # fmt: skip
    known = np.flatnonzero(found.values.is_not_null().to_numpy())
    if found.values.drop_nulls().n_unique() < 2:
        raise ConfigError(f"{_OPTION} {options.groups}: expected two groups or more, found fewer")
    if options.groups in options.adjust:
        raise ConfigError(f"--adjust {options.groups}: these are the groups that are compared")
    if len(known) > MOST_IMAGES:
        rng = np.random.default_rng(options.seed)
        known = np.sort(rng.choice(known, MOST_IMAGES, replace=False))
    return known, found


def _group_images(
    session: SearchSession,
    samples: pl.DataFrame,
    groups: pl.Series,
    options: BiasOptions,
    resolved: ResolvedAudit,
) -> GroupedImages:
    samples = samples.with_columns(group=pl.coalesce("parent_id", "sample_id"))
    people = options.people or resolved.audit.attributes.probe_groups
    clusters = "image " + samples["group"]
    if people is not None:
        own = read_classes(
            session.store, samples, people, option="--people", may_be_modelled=False
        ).values
        named = pl.DataFrame({"person": own, "image": clusters})
        clusters = named.select(
            pl.coalesce(pl.lit("person ") + pl.col("person"), "image").alias("cluster")
        )["cluster"]
    return GroupedImages(
        options.groups, groups, clusters, _number_strata(session, samples, options.adjust)
    )


def _number_strata(
    session: SearchSession, samples: pl.DataFrame, adjust: Sequence[str]
) -> Ints | None:
    """Number the combinations of the covariates, -1 where one is unknown; None without any."""
    if not adjust:
        return None
    columns = [
        read_classes(
            session.store, samples, name, option="--adjust", may_be_modelled=True
        ).values.alias(str(number))
        for number, name in enumerate(adjust)
    ]
    frame = pl.DataFrame(columns)
    known = frame.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    ranks = frame.select(pl.struct(pl.all()).rank("dense").cast(pl.Int64)).to_series().to_numpy()
    return np.where(known, ranks - 1, -1)


def _list_notes(session: SearchSession, left_out: int, images: GroupedImages) -> tuple[str, ...]:
    notes = list(session.notes)
    if left_out:
        notes.append(f"{left_out:,} more images of known group were left out: a sample is enough")
    if images.clusters.n_unique() == images.clusters.len():
        notes.append("each image counts as another person; --people names a column of who it is")
    return tuple(notes)
