"""Accuracy, precision and recall of an encoder's labels on pictures with known true values."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

from pipeline.demo.training.captions import ATTRIBUTE_VALUES

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Prompts:
    """One attribute in words: `texts` holds for each value its prompts in all templates."""

    name: str
    applies_to: str
    values: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class LabelAccuracy:
    """Agreement with the truth; precision, recall and n by value in the order of `values`."""

    values: tuple[str, ...]
    accuracy: float
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    n: tuple[int, ...]


def read_prompts() -> list[Prompts]:
    """Read the demo's own prompt attributes."""
    prompts = []
    for entry in sorted(resources.files("pipeline.demo").joinpath("attributes").iterdir(), key=str):
        if entry.name.endswith(".toml"):
            data = tomllib.loads(entry.read_text(encoding="utf-8"))
            if data["kind"] == "prompts":
                texts = tuple(
                    tuple(
                        frame.replace("{}", prompt)
                        for frame in data["templates"]
                        for prompt in group
                    )
                    for group in data["values"].values()
                )
                values = tuple(data["values"])
                prompts.append(Prompts(data["name"], data["applies_to"], values, texts))
    return prompts


def measure_label_accuracy(
    vectors: Matrix,
    truth: npt.NDArray[np.bool_],
    prompts: Prompts,
    *,
    encode: Callable[[list[str]], Matrix],
    naive: bool = False,
) -> LabelAccuracy:
    """Label pictures by the nearest prototype and compare with their true values.

    vectors: (n, d) unit-length. truth: (n, len(ATTRIBUTE_VALUES)) bools.
    encode: returns unit-length vectors of texts.
    naive: the first prompt in the first template alone, instead of the mean of all.
    """
    prototypes = []
    for texts in prompts.texts:
        mean = encode(list(texts[:1] if naive else texts)).mean(axis=0)
        prototypes.append(mean / np.linalg.norm(mean))
    guess = (vectors @ np.array(prototypes, dtype=np.float32).T).argmax(axis=1)
    columns = [ATTRIBUTE_VALUES.index((prompts.name, value)) for value in prompts.values]
    return _compare(guess, truth[:, columns].argmax(axis=1), prompts.values)


def _compare(
    guess: npt.NDArray[np.intp], truth: npt.NDArray[np.intp], values: Sequence[str]
) -> LabelAccuracy:
    hits = [int(((guess == value) & (truth == value)).sum()) for value in range(len(values))]
    named = [int((guess == value).sum()) for value in range(len(values))]
    there = [int((truth == value).sum()) for value in range(len(values))]
    return LabelAccuracy(
        values=tuple(values),
        accuracy=float((guess == truth).mean()),
        precision=tuple(hit / max(count, 1) for hit, count in zip(hits, named, strict=True)),
        recall=tuple(hit / max(count, 1) for hit, count in zip(hits, there, strict=True)),
        n=tuple(there),
    )
