"""Captions of scenes and people in many wordings, each with the values that contradict it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.demo.scene_truth import CONDITION_SHARES, PERSON_SHARES

COUNTS = ("1", "2", "3", "4")
ATTRIBUTE_VALUES: tuple[tuple[str, str], ...] = tuple(
    (attribute, value)
    for attribute, values in [
        *((name, tuple(shares)) for name, shares in CONDITION_SHARES.items()),
        *((name, tuple(shares)) for name, shares in PERSON_SHARES.items()),
        ("people", COUNTS),
    ]
    for value in values
)
_WORDS: Mapping[str, Any] = tomllib.loads(
    resources.files("pipeline.demo.training").joinpath("words.toml").read_text(encoding="utf-8")
)
_INDEX = {pair: position for position, pair in enumerate(ATTRIBUTE_VALUES)}
_PERSON_TOPICS = ("headwear", "glasses", "hair", "clothing", "vest", "pose", "occlusion", "focus")
_CONDITION_TOPICS = tuple(CONDITION_SHARES)
_COUNTED = frozenset({"one", "two", "three", "four", "several", "many", "some"})  # need no article

Bits = npt.NDArray[np.bool_]
Claims = Sequence[tuple[str, Sequence[str]]]  # attributes, and the values that are allowed


@dataclass(frozen=True)
class Caption:
    """A text, and the values that contradict it: bits over ATTRIBUTE_VALUES."""

    text: str
    against: Bits


def encode_truth(values: Mapping[str, str]) -> Bits:
    """Return (len(ATTRIBUTE_VALUES),) bools: which are the true values, given by attribute."""
    bits = np.zeros(len(ATTRIBUTE_VALUES), dtype=np.bool_)
    for pair in values.items():
        bits[_INDEX[pair]] = True
    return bits


def caption_person(rng: np.random.Generator, values: Mapping[str, str]) -> Caption:
    """Word one to four of the true values of a person and of the image around."""
    noun, claims = _draw_noun(rng, values, _WORDS["nouns"])
    topics = _draw_topics(rng, _PERSON_TOPICS, _CONDITION_TOPICS, plain=not claims)
    return _compose(rng, values, noun, claims, topics, _WORDS["person_frames"])


def caption_scene(rng: np.random.Generator, values: Mapping[str, str]) -> Caption:
    """Word some true values of a whole image: its conditions and how many people it shows."""
    counted = bool(rng.random() < 0.3)
    nouns = [entry for entry in _WORDS["scene_nouns"] if ("claims" in entry) == counted]
    noun, claims = _draw_noun(rng, values, nouns)
    topics = _draw_topics(rng, _CONDITION_TOPICS, (), plain=not claims)
    return _compose(rng, values, noun, claims, topics, _WORDS["scene_frames"])


def _draw_noun(
    rng: np.random.Generator, values: Mapping[str, str], nouns: Sequence[Mapping[str, Any]]
) -> tuple[str, Claims]:
    """Choose a noun that is true; it may claim sex, age or both, or how many people there are."""
    true = [
        entry
        for entry in nouns
        if all(values[name] in allowed for name, allowed in entry.get("claims", {}).items())
    ]
    entry = true[int(rng.integers(len(true)))]
    words = entry["words"]
    return words[int(rng.integers(len(words)))], list(entry.get("claims", {}).items())


def _draw_topics(
    rng: np.random.Generator, often: Sequence[str], rarely: Sequence[str], *, plain: bool
) -> list[str]:
    count = int(rng.choice(4, p=[0.0, 0.6, 0.26, 0.14] if plain else [0.4, 0.4, 0.14, 0.06]))
    topics = list(rng.permutation(list(often)))[:count]
    if rarely and rng.random() < 0.15:
        topics.append(str(rng.choice(list(rarely))))
    return [str(topic) for topic in topics]


def _compose(
    rng: np.random.Generator,
    values: Mapping[str, str],
    noun: str,
    claims: Claims,
    topics: Sequence[str],
    frames: Sequence[str],
) -> Caption:
    """Put noun and phrases together: adjectives before the noun, other phrases behind it."""
    phrases = [_choose(rng, _WORDS["phrases"][topic][values[topic]]) for topic in topics]
    adjectives = [phrase.removeprefix("+") for phrase in phrases if phrase.startswith("+")]
    subject = " ".join([*adjectives, noun])
    if noun.split()[0] not in _COUNTED and rng.random() < 0.85:
        subject = f"{'an' if subject[0] in 'aeiou' else 'a'} {subject}"
    behind = [phrase for phrase in phrases if not phrase.startswith("+")]
    for place, phrase in enumerate(behind):
        subject += (_choose(rng, _WORDS["connectors"]) if place else " ") + phrase
    claimed = [*claims, *((topic, [values[topic]]) for topic in topics)]
    return Caption(_choose(rng, frames).replace("{}", subject), _contradictions(claimed))


def _choose(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _contradictions(claims: Claims) -> Bits:
    bits = np.zeros(len(ATTRIBUTE_VALUES), dtype=np.bool_)
    for attribute, allowed in claims:
        for (name, value), position in _INDEX.items():
            if name == attribute and value not in allowed:
                bits[position] = True
    return bits
