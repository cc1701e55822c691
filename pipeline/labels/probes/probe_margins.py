"""From which margin the labels of a probe are as right as is wanted."""

import numpy as np

from pipeline.arrays import Vectors
from pipeline.labels.probes.examples import Examples
from pipeline.labels.probes.linear_probe import Probe
from pipeline.labels.quality.thresholds import MarginedLabels, Threshold, choose_margin


def find_probe_thresholds(probe: Probe, examples: Examples, *, wanted: float) -> list[Threshold]:
    """Return the threshold of each value of a probe, in order, see `choose_margin`.

    examples: what it was trained on. Each is labelled by a probe that has not seen its cluster, so
    that margins are chosen by labels of the same kind as those of samples that nobody checked.
    Examples of values that the probe left out are judged too: it labels them wrong.
    """
    vectors = Vectors(examples.sample_ids, examples.vectors.astype(np.float32), probe.encoder_id)
    labels = probe.label(vectors, sample_ids=examples.sample_ids, min_margin=0.0, label_id="")
    right = (labels["value"] == examples.values).to_numpy()
    found = []
    for value in probe.values:
        own = (labels["value"] == value).to_numpy()
        judged = MarginedLabels(
            margins=labels["margin"].to_numpy()[own],
            right=right[own],
            weights=examples.weights[own],
            cluster_ids=examples.select(own).cluster_ids,
        )
        found.append(choose_margin(judged, value=value, wanted=wanted))
    return found
