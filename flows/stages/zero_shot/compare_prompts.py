"""Prompts compared on the same images, all together, and with random words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.stages.zero_shot.classified_images import ClassifiedImages
from flows.stages.zero_shot.classify import number_truth, rank_lines
from pipeline.arrays import Floats, Mask
from pipeline.exceptions import ConfigError
from pipeline.zero_shot.accuracy_tables import measure_accuracy
from pipeline.zero_shot.class_texts import ClassTexts, make_names_line
from pipeline.zero_shot.prompt_comparison import (
    ChosenPrompt,
    PromptPairs,
    choose_on_half,
    compare_prompts,
)
from pipeline.zero_shot.random_words import randomize_templates

ALL = "all together"


@dataclass(frozen=True)
class RandomControl:
    """Random words in place of those of the prompts, all together, drawn several times.

    accuracies: (r,) of the draws. p: the share of draws, the prompts themselves among them, that
    are as good as the prompts.
    """

    accuracies: Floats
    p: float


@dataclass(frozen=True)
class PromptResult:
    """names: the prompts and `ALL`. accuracy: one row each, as `measure_accuracy` returns it.

    chosen: among the prompts alone, compared with all together. long: how many texts were averaged
    over sentences, cut: how many words were cut. other: images whose true class is no class.
    clustered: whether several objects are of one image, which the tests of pairs do not know.
    """

    names: tuple[str, ...]
    accuracy: pl.DataFrame
    pairs: PromptPairs
    chosen: ChosenPrompt
    control: RandomControl | None
    long: int
    cut: int
    other: int
    clustered: bool


def judge_prompts(
    images: ClassifiedImages,
    texts: ClassTexts,
    prompts: Sequence[str],
    *,
    draws: int = 0,
    seed: int = 0,
) -> PromptResult:
    """Classify the images by each prompt and by all together, and compare.

    prompts: templates with {}. draws: how many times random words are tried; 0: not at all.
    Raises ConfigError below two prompts, and below two images of which the true class is known.
    """
    if len(prompts) < 2:
        raise ConfigError(f"--prompts: expected two prompts or more, found {len(prompts)}")
    truth, other = number_truth(images.table["truth"], texts.classes)
    known = np.flatnonzero(truth >= 0)
    groups = images.table["group"].gather(known)
    if groups.n_unique() < 2:
        raise ConfigError(
            "prompts are compared on images of which the true class is known: sub-folders or "
            "--truth give it"
        )
    lines = [make_names_line(texts, [prompt], line=prompt) for prompt in prompts]
    lines.append(make_names_line(texts, prompts, line=ALL))
    vectors, ranks = rank_lines(images, lines, truth)
    right = np.stack([ranks[line.name].is_right(1)[known] for line in lines])
    numbers = groups.rank("dense").to_numpy().astype(np.int64)
    together = vectors[ALL]
    return PromptResult(
        names=tuple(line.name for line in lines),
        accuracy=measure_accuracy(ranks, [1], groups=images.table["group"]),
        pairs=compare_prompts(right),
        chosen=choose_on_half(right[:-1], numbers, reference=right[-1], seed=seed),
        control=_try_random(images, texts, prompts, right[-1], draws=draws, seed=seed),
        long=together.long,
        cut=together.cut,
        other=other,
        clustered=groups.n_unique() < len(groups),
    )


def _try_random(
    images: ClassifiedImages,
    texts: ClassTexts,
    prompts: Sequence[str],
    right: Mask,
    *,
    draws: int,
    seed: int,
) -> RandomControl | None:
    """Classify by random words; right: (n,) of the prompts, where the true class is known."""
    if draws == 0:
        return None
    truth, _ = number_truth(images.table["truth"], texts.classes)
    lines = [
        make_names_line(texts, randomize_templates(prompts, seed=seed + draw), line=f"draw {draw}")
        for draw in range(draws)
    ]
    _, ranks = rank_lines(images, lines, truth)
    accuracies = np.array([one.is_right(1)[truth >= 0].mean() for one in ranks.values()])
    as_good = int((accuracies >= right.mean()).sum())
    return RandomControl(accuracies, (1 + as_good) / (1 + draws))
