"""Probabilities of values by the kept probes, for the search."""

import numpy as np
import polars as pl
import pytest

from flows.stages.label_probabilities import weigh_by_probes
from pipeline.slices.soft_labels.membership import SoftLabels
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit
from tests.flows.stages.test_probes_flow import check_labels, name_tone, read_tone

TONE = frozenset({"tone"})


@pytest.fixture
def probed(small_audit: SmallAudit) -> SmallAudit:
    run_directly(small_audit.config, ["embed", "label"])
    check_labels(small_audit, range(60))
    run_directly(small_audit.config, ["label"])
    return small_audit


def weigh(
    store: Store, manifest: LabelManifest, *, attributes: frozenset[str], sample_ids: pl.Series
) -> dict[str, SoftLabels]:
    known = read_known_truth(store, manifest)
    return weigh_by_probes(
        store, manifest.encoder_id, known, attributes=attributes, sample_ids=sample_ids
    )


def test_probabilities_of_a_probe_are_of_the_rows_asked_for(probed: SmallAudit) -> None:
    store, tone, manifest = read_tone(probed)
    samples = store.read_samples().sort("path")
    ids = pl.concat([samples["sample_id"], pl.Series(["of no image"])])
    found = weigh(store, manifest, attributes=TONE, sample_ids=ids)["tone"]
    assert np.isnan(found.probabilities[-1]).all()
    weights = found.probabilities[:-1]
    assert weights.sum(axis=1) == pytest.approx(1)
    true = [name_tone(number) for number in range(len(samples))]
    right = np.array(found.values)[weights.argmax(axis=1)] == np.array(true)
    assert right.mean() > 0.95
    scores = store.read_labels([tone.label_id]).select("sample_id", "value", "score")
    both = samples.select("sample_id").join(scores, on="sample_id", maintain_order="left")
    own = weights[np.arange(len(both)), [found.values.index(value) for value in both["value"]]]
    assert own == pytest.approx(both["score"].to_numpy(), abs=1e-6)  # held-out ones included


def test_a_probe_of_checks_that_are_gone_is_not_used(probed: SmallAudit) -> None:
    store, _, manifest = read_tone(probed)
    ids = store.read_samples()["sample_id"]
    Journal(store.folder).undo("me")
    assert weigh(store, manifest, attributes=TONE, sample_ids=ids) == {}


def test_without_probes_or_attributes_there_is_nothing(small_audit: SmallAudit) -> None:
    run_directly(small_audit.config, ["embed", "label"])
    store, _, manifest = read_tone(small_audit)
    ids = store.read_samples()["sample_id"]
    assert weigh(store, manifest, attributes=TONE, sample_ids=ids) == {}
    assert weigh(store, manifest, attributes=frozenset(), sample_ids=ids) == {}
