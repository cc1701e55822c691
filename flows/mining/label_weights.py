"""How probably samples have the values of a slice, by the models that label an audit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.mining.audited_findings import Finding
from flows.run.loaded_models import LoadEncoder
from flows.run.resolved_audit import ResolvedAudit
from flows.stages.label_probabilities import find_probe
from flows.stages.labellers import make_prompted
from pipeline.arrays import Floats, Vectors
from pipeline.labels.probes.linear_probe import Probe
from pipeline.labels.zero_shot import Prototypes, weigh_values
from pipeline.predicates import read_predicate
from pipeline.workspace.known_truth import read_known_truth
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.store import Store

Unit = NDArray[np.float32]


@dataclass(frozen=True)
class AttributeModel:
    """Probabilities of the values of one attribute, by its prompts or by a probe.

    of_image: whether the image around an object is weighed.
    """

    values: tuple[str, ...]
    of_image: bool
    source: Prototypes | Probe

    def weigh(self, vectors: Unit) -> Floats:
        """Return (n, k) the probability of each value, of (n, d) unit vectors."""
        ids = pl.Series([""]).new_from_index(0, len(vectors))
        if isinstance(self.source, Probe):
            return self.source.weigh(vectors.astype(np.float64), ids)
        own = Vectors(ids, vectors, self.source.encoder_id)
        return weigh_values(own, self.source, sample_ids=ids)


@dataclass(frozen=True)
class LabelModels:
    """The models of the attributes of an audit that have one, and the values of all."""

    models: dict[str, AttributeModel]
    orders: dict[str, tuple[str, ...]]

    def list_unweighed(self, finding: Finding) -> list[str]:
        """Return the attributes of a finding of whose value no model knows a probability."""
        return [one["attribute"] for one in finding.predicates if self._find(one) is None]

    def weigh(self, findings: Sequence[Finding], vectors: Unit, images: Unit) -> Floats:
        """Return (n, f) the probability of belonging to each finding, as far as models know.

        vectors, images: (n, d) of what is shown and of the image around it. It is the product over
        the predicates (given the pixels, values are taken to be independent); predicates without a
        model count as 1.
        """
        known: dict[str, Floats] = {}
        out = np.ones((len(vectors), len(findings)))
        for place, finding in enumerate(findings):
            for one in finding.predicates:
                found = self._find(one)
                if found is None:
                    continue
                model, values = found
                name = one["attribute"]
                if name not in known:
                    known[name] = model.weigh(images if model.of_image else vectors)
                columns = [model.values.index(value) for value in values]
                out[:, place] *= known[name][:, columns].sum(axis=1)
        return out

    def _find(self, predicate: dict[str, str]) -> tuple[AttributeModel, list[str]] | None:
        name = predicate["attribute"]
        model = self.models.get(name)
        if model is None:
            return None
        asked = read_predicate(predicate["value"], self.orders.get(name, ()))
        values = [value for value in asked if value in model.values]
        return (model, values) if values else None


def make_label_models(resolved: ResolvedAudit, store: Store, *, load: LoadEncoder) -> LabelModels:
    """Make the models that weigh what a workspace is labelled by: prompts, or probes in use."""
    manifest = LabelManifest.read(store.folder)
    known = read_known_truth(store, manifest)
    labellers, _ = make_prompted(resolved, store.read_samples(), store, known=known, load=load)
    models = {}
    for name, labeller in labellers.items():
        entry = manifest.by_name.get(name)
        of_image = resolved.of_objects and labeller.attribute.applies_to == "image"
        probe = None
        if entry is not None and entry.source == "probe":
            probe = find_probe(
                store, name, labeller.encoder_id, known.filter(pl.col("attribute") == name)
            )
        models[name] = (
            AttributeModel(labeller.values, of_image, labeller.prototypes)
            if probe is None
            else AttributeModel(probe.values, of_image, probe)
        )
    return LabelModels(models, {one.name: one.values for one in manifest.attributes if one.values})
