"""Ways of reading the same prompts, compared without embedding anything again."""

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Vectors
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.quality.ensembles import ENSEMBLES, merge_weighed, weigh_ensemble
from pipeline.labels.zero_shot import Ensemble, label_samples, list_prompts, make_prototypes

HAT = Attribute(
    name="hat",
    kind="prompts",
    min_margin=0.3,
    values={"yes": ("hat", "cap"), "no": ("hair", "head"), "half": ("hood", "scarf")},
)
RNG = np.random.default_rng(0)
PROMPTS = Vectors(pl.Series(list_prompts(HAT)), RNG.normal(size=(6, 8)).astype(np.float32), "e")
IDS = pl.Series([f"s{i}" for i in range(40)])
IMAGES = Vectors(IDS, RNG.normal(size=(40, 8)).astype(np.float32), "e")


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_each_says_what_labelling_with_it_would(ensemble: Ensemble) -> None:
    weighed = weigh_ensemble(
        HAT, IMAGES, PROMPTS, sample_ids=IDS, logit_scale=10.0, ensemble=ensemble
    )
    prototypes = make_prototypes(HAT, PROMPTS, logit_scale=10.0, ensemble=ensemble)
    labels = label_samples(IMAGES, prototypes, sample_ids=IDS, label_id="id")
    assert weighed.score.tolist() == labels["score"].to_list()
    assert weighed.margin.tolist() == labels["margin"].to_list()
    sure = labels.filter(pl.col("value") != "unknown").select("sample_id", "value")
    assert 0 < sure.height < 40
    assert weighed.labels.join(sure, on=["sample_id", "value"]).height == sure.height


def test_blocks_change_nothing() -> None:
    whole = weigh_ensemble(HAT, IMAGES, PROMPTS, sample_ids=IDS, logit_scale=10.0)
    blocks = [
        weigh_ensemble(
            HAT,
            Vectors(IDS[i : i + 16], IMAGES.values[i : i + 16], "e"),
            PROMPTS,
            sample_ids=IDS[i : i + 16],
            logit_scale=10.0,
        )
        for i in range(0, 40, 16)
    ]
    assert merge_weighed(blocks).labels.equals(whole.labels)


def test_differences_are_of_logits_to_the_best_other_value() -> None:
    weighed = weigh_ensemble(HAT, IMAGES, PROMPTS, sample_ids=IDS, logit_scale=10.0)
    differences = weighed.list_differences()
    assert (differences.argmax(axis=1) == weighed.best).all()
    assert ((differences > 0).sum(axis=1) == 1).all()
    first = np.log(weighed.probabilities[0])
    others = [max(np.delete(first, v)) for v in range(3)]
    assert differences[0] == pytest.approx(first - others)
