"""Probes of attributes with prompts: trained on checks, used where they label better."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipeline.config.audit import AttributeUse
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest
from pipeline.files.whole_files import write_text
from pipeline.images.crop import find_small
from pipeline.labels.attribute_file import make_label_id
from pipeline.labels.labellers import Labeller, ProbeLabeller, PromptLabeller
from pipeline.labels.probes.examples import Examples, make_examples
from pipeline.labels.probes.label_comparison import LabelComparison, compare_labels
from pipeline.labels.probes.linear_probe import VERSION, Probe, fit_probe
from pipeline.labels.probes.probe_margins import find_probe_thresholds
from pipeline.labels.probes.probe_notes import describe_choice
from pipeline.labels.quality.thresholds import list_margins, list_never_given
from pipeline.labels.zero_shot import average_prompts
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.kept.kept_checks import read_checks
from pipeline.workspace.known_truth import (
    fit_inclusion,
    list_denied,
    read_true_values,
    summarize_checks,
)
from pipeline.workspace.shards import read_vectors
from pipeline.workspace.store import Store

_MOST = 5_000  # examples; more teach a linear probe little and take minutes


@dataclass(frozen=True)
class TrainedProbe:
    """A probe of one attribute and what it was made from.

    labeller: None where too few values are known. comparison: with `rival`, the labels that it
    would replace, on the samples whose value is known. rival: LABELS of these.
    """

    examples: Examples
    labeller: ProbeLabeller | None
    comparison: LabelComparison | None


@dataclass(frozen=True)
class ChosenLabeller:
    """Who labels an attribute, and in words why; empty where nothing is known to train on."""

    labeller: Labeller
    note: str = ""


def list_teachable(use: AttributeUse, store: Store, *, truth: Mapping[str, str]) -> set[str]:
    """Return the attributes of which values are known to train on, none where no probe is wanted.

    truth: attribute -> label_id of its true values.
    """
    if use.probe == "never":
        return set()
    if use.probe_from == "truth":
        return set(truth)
    return set(read_checks(store.folder)["attribute"])


def read_known_values(
    use: AttributeUse, labels: pl.DataFrame, store: Store, *, truth: Mapping[str, str]
) -> pl.DataFrame:
    """Return KNOWN_TRUTH of what probes are trained on.

    labels: those that the inclusion of checks is fitted to. truth: as `list_teachable` gets it.
    """
    if use.probe_from == "checks":
        checks = read_checks(store.folder)
        return fit_inclusion(summarize_checks(checks), labels, denied=list_denied(checks))
    return read_true_values(store, truth)


def choose_labellers(
    labellers: Sequence[Labeller],
    known: pl.DataFrame,
    sample_set: SampleSet,
    store: Store,
    *,
    use: AttributeUse,
) -> list[ChosenLabeller]:
    """Put a probe in the place of prompts, attribute by attribute, where it is the better labeller.

    known: KNOWN_TRUTH that probes are trained on. The labels by prompts of these samples are in the
    store. With probe = "always" a probe labels wherever one can be trained.
    """
    chosen: list[ChosenLabeller] = []
    for labeller in labellers:
        own = known.filter(attribute=labeller.attribute.name)
        if not isinstance(labeller, PromptLabeller) or own.is_empty():
            chosen.append(ChosenLabeller(labeller))
            continue
        rival = store.read_labels([labeller.label_id])
        trained = train_probe(labeller, own, rival, sample_set, store, groups=use.probe_groups)
        probe, comparison = trained.labeller, trained.comparison
        better = comparison is not None and comparison.is_better
        used = probe is not None and (better or use.probe == "always")
        note = describe_choice(
            probe.probe if probe else None, comparison, known=own.height, used=used
        )
        chosen.append(ChosenLabeller(probe if used and probe else labeller, note))
    return chosen


def train_probe(
    labeller: PromptLabeller,
    known: pl.DataFrame,
    rival: pl.DataFrame,
    sample_set: SampleSet,
    store: Store,
    *,
    groups: str | None = None,
) -> TrainedProbe:
    """Train the probe of one attribute, or read it where it was trained on the same already.

    known: KNOWN_TRUTH of the attribute. rival: LABELS to compare it with. groups: as probe_groups.
    """
    examples = _gather(labeller, known, sample_set, store, groups=groups)
    label_id = make_label_id(
        labeller.attribute,
        labeller.label_id,
        f"probe {VERSION}",
        examples.hash_content(labeller.encoder_id),
    )
    probe = _find_or_fit(labeller, examples, label_id, store)
    if probe is None:
        return TrainedProbe(examples, None, None)
    made = _choose_margins(
        ProbeLabeller(labeller.attribute, label_id, probe, labeller.min_size), examples
    )
    return TrainedProbe(examples, made, _compare(made, examples, rival))


def _choose_margins(labeller: ProbeLabeller, examples: Examples) -> ProbeLabeller:
    """Give a probe the margins that its attribute asks for by min_margin = "auto"."""
    wanted = labeller.attribute.wanted_precision
    if wanted is None:
        return labeller
    thresholds = find_probe_thresholds(labeller.probe, examples, wanted=wanted)
    margins = list_margins(thresholds)
    return replace(
        labeller,
        label_id=make_label_id(labeller.attribute, labeller.label_id, *margins),
        margins=margins,
        notes=list_never_given(thresholds, attribute=labeller.attribute.name),
    )


def _gather(
    labeller: PromptLabeller,
    known: pl.DataFrame,
    sample_set: SampleSet,
    store: Store,
    *,
    groups: str | None,
) -> Examples:
    """Return the samples with a known value and a vector as examples."""
    samples = sample_set.samples
    rows = known.join(samples.select("sample_id", "content_key"), on="sample_id")
    small = samples.filter(find_small(samples, min_size=labeller.min_size))["sample_id"]
    rows = rows.filter(~pl.col("sample_id").is_in(small.implode())).sort("sample_id")
    if rows.height > _MOST:
        rows = rows.sample(_MOST, seed=0, shuffle=True).sort("sample_id")
    vectors = read_vectors(rows["content_key"], store.embeddings, encoder_id=labeller.encoder_id)
    there = pl.DataFrame({"content_key": vectors.keys}).unique()
    rows = rows.join(there, on="content_key", how="semi", maintain_order="left")
    clusters = name_clusters(rows["sample_id"], sample_set, groups=groups)
    return make_examples(rows, vectors.values, cluster_ids=clusters)


def name_clusters(sample_ids: pl.Series, sample_set: SampleSet, *, groups: str | None) -> pl.Series:
    """Return of each sample its group, or where it has none the content of its image.

    groups: a column of the dataset, as probe_groups; raises ConfigError for one that is not there.
    """
    samples, columns = sample_set.samples, sample_set.columns
    content = samples.select("sample_id", image="content_key")
    images = samples.select("sample_id", parent=pl.coalesce("parent_id", "sample_id")).join(
        content, left_on="parent", right_on="sample_id", how="left"
    )
    images = images.select("sample_id", cluster=pl.concat_str(pl.lit("image "), "image"))
    if groups is not None:
        if groups not in columns.columns:
            known = [name for name in columns.columns if name != "sample_id"]
            raise ConfigError(
                f"[attributes] probe_groups: the dataset has no column {groups!r}; "
                f"{nearest(groups, known)}"
            )
        named = columns.select("sample_id", group=pl.concat_str(pl.lit("group "), groups))
        images = images.join(named, on="sample_id", how="left").select(
            "sample_id", cluster=pl.coalesce("group", "cluster")
        )
    own = pl.DataFrame({"sample_id": sample_ids})
    return own.join(images, on="sample_id", how="left", maintain_order="left")["cluster"]


def _find_or_fit(
    labeller: PromptLabeller, examples: Examples, label_id: str, store: Store
) -> Probe | None:
    name = re.sub(r"[^\w-]", "_", labeller.attribute.name)
    path = store.probes / labeller.encoder_id / f"{name}-{label_id}.json"
    if path.exists():
        kept = Probe.from_json(path.read_text(encoding="utf-8"), source=str(path))
        if kept is not None:
            return kept
    probe = fit_probe(
        examples,
        attribute=labeller.attribute.name,
        values=labeller.values,
        encoder_id=labeller.encoder_id,
        anchors=average_prompts(labeller.prototypes),
    )
    if probe is not None:
        write_text(probe.to_json(), path)
    return probe


def _compare(
    labeller: ProbeLabeller, examples: Examples, rival: pl.DataFrame
) -> LabelComparison | None:
    """Compare with other labels of the examples; None where these are not known of all."""
    own = labeller.label_examples(examples)
    other = rival.select("sample_id", other="value")
    both = own.join(other, on="sample_id", how="left", maintain_order="left")
    there = both["other"].is_not_null().to_numpy()
    if not there.any():
        return None
    rows = examples.select(np.asarray(there, np.bool_))
    both = both.drop_nulls("other")
    return compare_labels(
        rows.values, both["value"], both["other"], weights=rows.weights,
        cluster_ids=rows.cluster_ids,
    )  # fmt: skip
