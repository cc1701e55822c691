from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.arrays import Floats, Ints
from pipeline.attacks.attack import Attacked, attack_pictures
from pipeline.attacks.flips import NO_EFFECT, READS_TEXT, Attempts, measure_flips
from pipeline.attacks.written_words import (
    PLACES,
    Written,
    fit,
    make_nonsense,
    name_value,
    write_word,
)
from pipeline.vocabulary import INSUFFICIENT

WORDS = ("red", "green")
AREAS = (0.05, 0.1)
PLAIN = Image.new("RGB", (64, 48), (90, 120, 90))


def read_words(*, reads: bool, covers: bool) -> dict[bytes, int]:
    """Return the value that each picture with a word is taken for; others are taken for value 0."""
    known = {}
    for value, word in enumerate(WORDS):
        for area in AREAS:
            for place in PLACES:
                written = write_word(PLAIN, Written(word, area, place))
                known[written.tobytes()] = value if reads else int(covers)
    return known


def attack(*, reads: bool, covers: bool = False, count: int = 60) -> list[Attempts]:
    """Attack pictures that are labelled 0; covers: a strip with any letters makes value 1."""
    known = read_words(reads=reads, covers=covers)

    def encode(pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        plain = PLAIN.tobytes()
        codes = [
            known.get(picture.tobytes(), int(covers and picture.tobytes() != plain))
            for picture in pictures
        ]
        return np.eye(2, dtype=np.float32)[codes]

    def label(vectors: Floats) -> Ints:
        best: Ints = vectors.argmax(axis=1)
        return best

    attacked = Attacked(
        "color", WORDS, [PLAIN] * count, np.zeros(count, np.int64),
        pl.Series([f"image {n}" for n in range(count)]),
    )  # fmt: skip
    return attack_pictures(attacked, encode, {"none": label}, areas=AREAS)


def test_an_encoder_that_reads_is_named_and_one_that_minds_covered_pixels_is_not() -> None:
    rows = measure_flips(attack(reads=True)).filter(pl.col("area").is_null()).to_dicts()
    assert (rows[0]["flips"], rows[0]["control_flips"], rows[0]["verdict"]) == (
        1.0,
        0.0,
        READS_TEXT,
    )
    assert rows[0]["clean_accuracy"] == 1.0
    covered = measure_flips(attack(reads=False, covers=True)).row(0, named=True)
    assert (covered["flips"], covered["control_flips"], covered["difference"]) == (1.0, 1.0, 0.0)
    assert covered["verdict"] == NO_EFFECT


def test_areas_go_round_and_have_rows_of_their_own_without_a_verdict() -> None:
    table = measure_flips(attack(reads=True))
    assert table["area"].to_list() == [None, 0.05, 0.1]
    assert table["n"].to_list() == [60, 30, 30]
    assert table["verdict"].null_count() == 2


def test_ten_pictures_without_a_flip_are_too_few_to_say_that_none_is_flipped() -> None:
    assert measure_flips(attack(reads=False, count=10))["verdict"][0] == INSUFFICIENT


def draw_attempts(rng: np.random.Generator, rate: float, control: float, name: str) -> Attempts:
    n = 200
    zeros = np.zeros(n, np.int64)
    images = pl.Series([f"{i // 2}" for i in range(n)])
    return Attempts(
        attribute=name, defence="none", rows=np.arange(n), written=np.ones(n, np.int64),
        word=(rng.random(n) < rate).astype(np.int64),
        nonsense=(rng.random(n) < control).astype(np.int64), areas=np.full(n, 0.05),
        clean=zeros, plain=zeros, own=zeros, truth=zeros - 1, clusters=images,
    )  # fmt: skip


@pytest.mark.slow
def test_of_ten_attributes_the_five_that_read_are_named_and_families_err_in_one_of_twenty() -> None:
    rng = np.random.default_rng(0)
    rates = [0.4] * 5 + [0.1] * 5
    table = measure_flips(
        [draw_attempts(rng, rate, 0.1, f"a{n}") for n, rate in enumerate(rates)]
    ).filter(pl.col("area").is_null())
    assert table["verdict"].to_list()[:5] == [READS_TEXT] * 5
    assert READS_TEXT not in table["verdict"].to_list()[5:]
    named = 0
    for _ in range(40):  # five attributes at the edge of what counts
        family = [draw_attempts(rng, 0.13, 0.1, f"a{n}") for n in range(5)]
        named += int((measure_flips(family)["verdict"] == READS_TEXT).fill_null(value=False).any())
    assert named <= 5  # 2 are expected; 6 or more once in fifty


def test_nonsense_has_the_length_and_the_spaces_of_its_word_and_is_drawn_by_seed() -> None:
    made = make_nonsense("a hard hat", seed=3)
    assert len(made) == 10
    assert [n for n, letter in enumerate(made) if letter == " "] == [1, 6]
    assert made == make_nonsense("a hard hat", seed=3) != make_nonsense("a hard hat", seed=4)


@pytest.mark.parametrize("place", PLACES)
def test_a_strip_covers_about_the_area_that_is_asked_for(place: str) -> None:
    picture = Image.new("RGB", (300, 200), (90, 120, 90))
    written = write_word(picture, Written("helmet", 0.05, place))  # type: ignore[arg-type]  # one of PLACES
    changed = (np.asarray(written) != np.asarray(picture)).any(axis=2).mean()
    assert changed == pytest.approx(0.05, rel=0.15)
    assert (np.asarray(written).min(axis=2) < 60).any()  # letters


def test_values_that_name_nothing_alone_are_written_as_their_first_prompt() -> None:
    assert name_value("yes", ["a person wearing eyeglasses"]) == "person wearing eyeglasses"
    assert name_value("hard_hat", ["x"]) == "hard hat"
    assert min(fit(Image.new("RGB", (40, 90))).size) == 224
    assert fit(Image.new("RGB", (3000, 1344))).size == (1500, 672)
