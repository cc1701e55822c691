"""Captions of scenes and people in many wordings, each with what it claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.demo.facts import CONDITION_SHARES, PERSON_SHARES
from pipeline.demo.phrases import (
    CONNECTORS,
    CROP_FRAMES,
    NOUNS,
    PHRASES,
    SCENE_FRAMES,
    SCENE_NOUNS,
)

COUNTS = ("1", "2", "3", "4")
FACTS: tuple[tuple[str, str], ...] = tuple(
    (attribute, value)
    for attribute, values in [
        *((name, tuple(shares)) for name, shares in CONDITION_SHARES.items()),
        *((name, tuple(shares)) for name, shares in PERSON_SHARES.items()),
        ("people", COUNTS),
    ]
    for value in values
)
_INDEX = {fact: position for position, fact in enumerate(FACTS)}
_PERSON_TOPICS = ("headwear", "glasses", "hair", "clothing", "vest", "pose", "occlusion")
_CONDITION_TOPICS = tuple(CONDITION_SHARES)

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Caption:
    """A text, and the facts that contradict it: bits over FACTS."""

    text: str
    against: Bits


def encode_facts(values: Mapping[str, str]) -> Bits:
    """Return which of FACTS hold for true values by attribute: (len(FACTS),) of bool."""
    bits = np.zeros(len(FACTS), dtype=np.bool_)
    for fact in values.items():
        bits[_INDEX[fact]] = True
    return bits


def caption_person(rng: np.random.Generator, values: Mapping[str, str]) -> Caption:
    """Word some of the facts of a person (and of the image around): one to four of them."""
    noun, claims = _draw_noun(rng, values)
    topics = _draw_topics(rng, _PERSON_TOPICS, _CONDITION_TOPICS, plain=not claims)
    return _compose(rng, values, noun, claims, topics, CROP_FRAMES)


def caption_scene(rng: np.random.Generator, values: Mapping[str, str]) -> Caption:
    """Word some of the facts of a whole image: its conditions and how many people it shows."""
    claims: list[tuple[str, tuple[str, ...]]] = []
    if rng.random() < 0.3:
        options = [item for item in SCENE_NOUNS if item[1] and values["people"] in item[1]]
        noun, counts = options[int(rng.integers(len(options)))]
        claims = [("people", counts)]
    else:
        options = [item for item in SCENE_NOUNS if not item[1]]
        noun = options[int(rng.integers(len(options)))][0]
    topics = _draw_topics(rng, _CONDITION_TOPICS, (), plain=not claims)
    return _compose(rng, values, noun, claims, topics, SCENE_FRAMES)


def _draw_noun(
    rng: np.random.Generator, values: Mapping[str, str]
) -> tuple[str, list[tuple[str, tuple[str, ...]]]]:
    """Choose what to call a person; the word may claim sex, age or both."""
    true = [
        (words, claims)
        for words, claims in NOUNS
        if all(values[attribute] in allowed for attribute, allowed in claims.items())
    ]
    words, claims = true[int(rng.integers(len(true)))]
    return words[int(rng.integers(len(words)))], list(claims.items())


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
    claims: list[tuple[str, tuple[str, ...]]],
    topics: Sequence[str],
    frames: Sequence[str],
) -> Caption:
    """Put noun and phrases together: adjectives before the noun, the rest behind it."""
    before, behind = [], []
    for topic in topics:
        options = PHRASES[topic][values[topic]]
        phrase = options[int(rng.integers(len(options)))]
        (before if phrase.startswith("+") else behind).append(phrase.lstrip("+"))
        claims = [*claims, (topic, (values[topic],))]
    words = " ".join([*before, noun])
    article = "an" if words[0] in "aeiou" else "a"
    subject = words if noun.split()[0] in _COUNTED or rng.random() < 0.15 else f"{article} {words}"
    for phrase in behind:
        joint = CONNECTORS[int(rng.integers(len(CONNECTORS)))] if phrase != behind[0] else " "
        subject += joint + phrase
    frame = frames[int(rng.integers(len(frames)))]
    return Caption(frame.replace("{}", subject), _contradictions(claims))


_COUNTED = frozenset({"one", "two", "three", "four", "several", "people", "few", "many", "some"})


def _contradictions(claims: Sequence[tuple[str, tuple[str, ...]]]) -> Bits:
    bits = np.zeros(len(FACTS), dtype=np.bool_)
    for attribute, allowed in claims:
        for fact, position in _INDEX.items():
            if fact[0] == attribute and fact[1] not in allowed:
                bits[position] = True
    return bits
