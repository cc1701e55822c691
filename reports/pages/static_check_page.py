"""The page of checks as one file that saves its answers as another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from markupsafe import Markup

from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from reports.pages.check_page import PICKS
from reports.parts.content_policy import Behavior
from reports.parts.gallery import encode_image
from reports.parts.templates import render_page

BEHAVIOR = Behavior(styles=("style.css", "check.css"), script="check_static.js")


@dataclass(frozen=True)
class StaticQuestion:
    """One label to judge: what of its row in the draw the answer repeats.

    shown: the label. draw, inclusion: as in the `checks` table.
    """

    sample_id: str
    attribute: str
    shown: str
    draw: str
    inclusion: float | None
    of_object: bool


def build_static_page(
    *,
    name: str,
    checker: str,
    draw_id: str,
    questions: Sequence[StaticQuestion],
    values: Mapping[str, Sequence[str]],
    pictures: Mapping[str, bytes],
) -> str:
    """Return one self-contained HTML page; it needs its script, and asks nothing of the network.

    name: of the audit. draw_id: under which the browser remembers answers. values: of each
    attribute, in order. pictures: JPEG of each sample; one without is asked about all the same.
    """
    content = {
        "name": name,
        "draw": draw_id,
        "questions": [asdict(question) for question in questions],
        "values": {attribute: list(own) for attribute, own in values.items()},
        "pictures": {key: encode_image(picture) for key, picture in pictures.items()},
        "words": {"right": RIGHT, "wrong": WRONG, "cannotSay": CANNOT_SAY, "unknown": UNKNOWN},
        "picks": list(PICKS),
    }
    return render_page(
        "check_static.html",
        behavior=BEHAVIOR,
        title=f"{name}: check labels",
        name=name,
        checker=checker,
        content=_write_json(content),
    )


def _write_json(content: object) -> Markup:
    """Return JSON that can lie in a script element: nothing in it can end that element."""
    text = json.dumps(content, ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - the three characters that HTML knows are gone
