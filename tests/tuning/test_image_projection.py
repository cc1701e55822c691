"""The written weights give the vectors of the map, whatever the last layer is."""

import numpy as np
import pytest

from pipeline.exceptions import EncoderError
from pipeline.tuning.image_projection import turn_weights


def test_a_plain_projection_and_a_linear_layer_are_turned_alike() -> None:
    rng = np.random.default_rng(0)
    hidden, matrix = rng.normal(size=(5, 7)), rng.normal(size=(4, 4))
    projection, bias = rng.normal(size=(7, 4)), rng.normal(size=4)
    plain = turn_weights({"visual.proj": projection, "other": bias}, matrix)
    assert hidden @ plain["visual.proj"] == pytest.approx(hidden @ projection @ matrix, abs=1e-5)
    assert plain["other"] is bias
    layer = "visual.attnpool.c_proj"
    linear = turn_weights({f"{layer}.weight": projection.T, f"{layer}.bias": bias}, matrix)
    after = hidden @ linear[f"{layer}.weight"].T + linear[f"{layer}.bias"]
    assert after == pytest.approx((hidden @ projection + bias) @ matrix, abs=1e-5)


def test_a_tower_with_another_end_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"visual\.proj"):
        turn_weights({"visual.strange": np.eye(3)}, np.eye(3))
