"""Texts that are too long become sentences; classes are means of unit vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.embeddings.context import find_fitting
from pipeline.exceptions import EncoderError
from pipeline.zero_shot.class_texts import PromptLine
from pipeline.zero_shot.class_vectors import make_class_vectors
from pipeline.zero_shot.long_texts import split_long_texts


def fits_ten(texts: Sequence[str]) -> list[bool]:
    return [len(text) <= 10 for text in texts]


def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the shares of three letters; longer than ten it would be cut."""
    assert all(fits_ten(texts))
    counts = [[text.count(letter) for letter in "abc"] for text in texts]
    return np.array(counts, np.float32)


def test_a_long_text_becomes_sentences_and_a_long_sentence_halves() -> None:
    split = split_long_texts(["short.", "One. Two. I am too long a one."], fits=fits_ten)
    assert split.pieces == (("short.",), ("One.", "Two.", "I am too", "long", "a one."))
    assert (split.long, split.cut) == (1, 0)
    words = " ".join(" ".join(own) for own in split.pieces)
    assert words == "short. One. Two. I am too long a one."


def test_a_single_word_that_is_too_long_is_counted() -> None:
    assert split_long_texts(["abcdefghijklm"], fits=fits_ten).cut == 1


def test_a_class_is_the_mean_of_its_prompts_and_a_long_prompt_weighs_as_one() -> None:
    line = PromptLine("x", ("one", "two"), (("a", "b. b. b. c. c."), ("c", "c", "a")))
    made = make_class_vectors(line, encode=encode, fits=fits_ten)
    long = np.array([0, 3, 2]) / np.sqrt(13)  # five sentences of unit length
    one = np.array([1, 0, 0]) + long
    two = np.array([1, 0, 2])  # a repeated prompt counts twice
    assert made.vectors == pytest.approx(
        np.stack([one / np.linalg.norm(one), two / np.linalg.norm(two)])
    )
    assert (made.prompts, made.long, made.cut) == (3, 1, 0)


def test_prompts_without_direction_are_an_error() -> None:
    with pytest.raises(EncoderError, match="zero or not finite"):
        make_class_vectors(PromptLine("x", ("one",), (("z",),)), encode=encode, fits=fits_ten)


@pytest.mark.parametrize("length", [8, 77])
def test_a_text_fits_where_the_tokenizer_cuts_nothing(length: int) -> None:
    import open_clip

    tokenizer = open_clip.SimpleTokenizer(context_length=length)
    texts = [" ".join(["cat"] * words) for words in (1, length - 2, length - 1, 4 * length)]
    assert find_fitting(tokenizer, texts) == [True, True, False, False]
    assert find_fitting(tokenizer, []) == []
