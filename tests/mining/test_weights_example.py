"""The example of docs/mending.md draws images as often as their weights say."""

import contextlib
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.mining.sample_weights import tabulate_weights

DOCS = Path(__file__).parents[2] / "docs" / "mending.md"


@pytest.mark.slow  # imports torch
def test_the_example_draws_weak_images_more_often(tmp_path: Path) -> None:
    n = 400
    samples = pl.DataFrame(
        {
            "sample_id": [f"o{i}" for i in range(n)],
            "parent_id": [f"i{i}" for i in range(n)],
            "path": [f"{i:04}.png" for i in range(n)],
            "annotation_id": [str(i) for i in range(n)],
        }
    )
    members = (np.arange(n) % 5 == 0)[:, None]
    tabulate_weights(samples, members, [4.0], [1]).drop("findings").write_csv(
        tmp_path / "weights.csv"
    )
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    import torch

    torch.manual_seed(0)
    scope: dict[str, object] = {}
    with contextlib.chdir(tmp_path):
        exec(example, scope)  # noqa: S102 - our own example
    loader = scope["loader"]
    drawn = [path for _ in range(20) for batch in loader for path in batch]  # type: ignore[attr-defined]  # a DataLoader
    assert len(drawn) == 20 * n
    weak = np.mean([int(path[:4]) % 5 == 0 for path in drawn])
    assert weak == pytest.approx(0.5, abs=0.03)  # a fifth with four times the weight: 4 of 8
