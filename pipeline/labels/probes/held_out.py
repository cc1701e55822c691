"""What a probe labels, and how that rises with examples, where the same samples judge it."""

from dataclasses import dataclass

import polars as pl

from pipeline.arrays import Floats, Vectors
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.probes.examples import Examples, make_examples
from pipeline.labels.probes.learning_curve import measure_learning_curve
from pipeline.labels.probes.linear_probe import Probe, fit_probe
from pipeline.labels.zero_shot import Prototypes, average_prompts

MOST_TRAINED = 600  # examples: as many as people check


@dataclass(frozen=True)
class JudgedProbe:
    """A probe of one attribute and the samples with a known value that it is judged by.

    rows: of the vectors, row by row: sample_id, value, inclusion and cluster_id. anchors: (v, d).
    """

    attribute: Attribute
    vectors: Vectors
    rows: pl.DataFrame
    examples: Examples
    anchors: Floats
    probe: Probe

    def label(self) -> pl.DataFrame:
        """Return LABELS of all samples that are no neighbours of an example.

        Those of examples come from probes that did not see their cluster; other samples of such a
        cluster would be labelled by a probe that did, and are left out.
        """
        trained = pl.DataFrame(
            {"sample_id": self.examples.sample_ids, "cluster_id": self.examples.cluster_ids}
        )
        rows = self.rows.with_row_index("row")
        near = rows.join(trained, on="cluster_id", how="semi").join(
            trained, on="sample_id", how="anti"
        )
        judged = rows.join(near, on="sample_id", how="anti", maintain_order="left")
        values = self.vectors.values[judged["row"].to_numpy()]
        own = Vectors(judged["sample_id"], values, self.vectors.encoder_id)
        margin = self.attribute.stated_margin
        return self.probe.label(own, sample_ids=own.keys, min_margin=margin, label_id="probe")

    def trace(self) -> pl.DataFrame:
        """Return its LEARNING_CURVE."""
        return measure_learning_curve(
            self.examples,
            self.probe,
            values=list(self.attribute.values),
            anchors=self.anchors,
            min_margin=self.attribute.stated_margin,
        )


def train_judged(
    known: pl.DataFrame, vectors: Vectors, *, attribute: Attribute, prototypes: Prototypes
) -> JudgedProbe | None:
    """Train a probe on samples whose value is known; None where too few are.

    known: sample_id, value, inclusion and cluster_id (text). vectors: of some of these samples, by
    sample_id; the others are left out. Trained is on at most MOST_TRAINED of them, at random.
    """
    ids = pl.DataFrame({"sample_id": vectors.keys})
    rows = ids.join(known, on="sample_id", how="left", maintain_order="left")
    some = rows.with_row_index("row").sort("sample_id")
    some = some.sample(min(rows.height, MOST_TRAINED), seed=0)
    trained_on = vectors.values[some["row"].to_numpy()]
    examples = make_examples(some, trained_on, cluster_ids=some["cluster_id"])
    anchors = average_prompts(prototypes)
    probe = fit_probe(
        examples,
        attribute=attribute.name,
        values=list(attribute.values),
        encoder_id=vectors.encoder_id,
        anchors=anchors,
    )
    if probe is None:
        return None
    return JudgedProbe(attribute, vectors, rows, examples, anchors, probe)
