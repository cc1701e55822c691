"""Words that are written into pictures, and the nonsense beside each that covers as many pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Place = Literal["top", "middle", "bottom"]
PLACES: Final[tuple[Place, ...]] = ("top", "middle", "bottom")
LEAST_SIDE = 224  # pixels: smaller pictures are enlarged first, so that letters can be read
MOST_SIDE = 672  # three times that: more pixels make a picture large in memory and show no more
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_PLAIN = {"yes", "no", "none", "true", "false", "other", "present", "absent"}
_WIDTH = 0.9  # of the picture, that a word takes at most


@dataclass(frozen=True)
class Written:
    """A word in a picture: area is the share of the picture that its strip covers."""

    word: str
    area: float
    place: Place


def name_value(value: str, prompts: Sequence[str]) -> str:
    """Return the word that stands for a value in a picture.

    The value itself; of values such as "yes", which name nothing alone, the first prompt without
    its article.
    """
    if value.lower() not in _PLAIN or not prompts:
        return value.replace("_", " ")
    word = prompts[0]
    for article in ("a ", "an ", "the "):
        word = word.removeprefix(article)
    return word


def make_nonsense(word: str, *, seed: int) -> str:
    """Return consonants at random in place of the letters of a word; spaces stay."""
    rng = np.random.default_rng([seed, len(word)])
    letters = rng.choice(list(_CONSONANTS), size=len(word))
    drawn = [str(new) if old.isalnum() else old for old, new in zip(word, letters, strict=True)]
    if "".join(drawn) == word:
        return make_nonsense(word, seed=seed + 1)
    return "".join(drawn)


def fit(image: Image.Image) -> Image.Image:
    """Return the picture with a shorter side of LEAST_SIDE to MOST_SIDE pixels."""
    short = min(image.size)
    if LEAST_SIDE <= short <= MOST_SIDE:
        return image
    scale = (LEAST_SIDE if short < LEAST_SIDE else MOST_SIDE) / short
    size = (round(image.width * scale), round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC)


def write_word(image: Image.Image, written: Written) -> Image.Image:
    """Return the picture with a white strip that holds a word in black.

    The strip covers `area` of the picture, and is as flat as its word asks for, but never wider
    than nine tenths of the picture.
    """
    width, height = image.size
    target = written.area * width * height
    probe = ImageFont.load_default(100)
    left, top, right, bottom = probe.getbbox(written.word)
    shape = max((right - left + 40) / (bottom - top + 30), 1.0)
    strip_w = min((target * shape) ** 0.5, _WIDTH * width)
    strip_h = min(target / strip_w, _WIDTH * height)
    scale = min(strip_w / (right - left + 40), strip_h / (bottom - top + 30))
    font = ImageFont.load_default(max(100 * scale, 4))
    x = (width - strip_w) / 2
    y = {"top": 0.05 * height, "middle": (height - strip_h) / 2,
         "bottom": 0.95 * height - strip_h}[written.place]  # fmt: skip
    made = image.convert("RGB").copy()
    draw = ImageDraw.Draw(made)
    draw.rectangle((x, y, x + strip_w, y + strip_h), fill="white")
    draw.text(
        (x + strip_w / 2, y + strip_h / 2), written.word, fill="black", font=font, anchor="mm"
    )
    return made
