"""A small draw of labels on drawn images, and a server of it for tests that kill one."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from starlette.types import ASGIApp

from flows.api.check_routes import make_check_router, make_image_router
from flows.api.questionnaire import CheckTask, Offer, Questionnaire
from flows.api.sample_images import SampleImages, index_samples
from flows.api.server import make_app, serve
from pipeline.checks.draw import DRAWN
from pipeline.tables import SAMPLES
from pipeline.vocabulary import UNKNOWN
from pipeline.workspace.kept.kept_checks import Journal
from reports.pages.check_page import BEHAVIOR

VALUES = {"hat": ("yes", "no"), "hair": ("short", "medium", "long", "none")}
COUNT = 12  # images; each is asked about once for every attribute
DRAW = "a1b2c3"


def make_task(
    folder: Path,
    *,
    values: dict[str, tuple[str, ...]] = VALUES,
    count: int = COUNT,
    name: str = "small",
    of_objects: bool = False,
    unlabelled: int = 0,
) -> CheckTask:
    """Write images and return a draw of their labels; the last `unlabelled` have none."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [_make_sample(folder, number, of_objects=of_objects) for number in range(count)]
    rows = [
        (f"{number:016x}", attribute, _pick(own, number, count - unlabelled), "value", 0.25)
        for attribute, own in values.items()
        for number in range(count)
    ]
    drawn = pl.DataFrame(rows, schema=dict(DRAWN), orient="row")
    sizes = drawn.group_by("attribute", "shown", maintain_order=True).agg(size=pl.len() * 4)
    return CheckTask(
        name=name,
        draw_id=DRAW,
        rows=drawn,
        known=drawn.drop("inclusion"),
        sizes=sizes,
        values=values,
        samples=pl.DataFrame(samples, schema=dict(SAMPLES)),
        root=folder,
    )


def _pick(values: Sequence[str], number: int, labelled: int) -> str:
    return values[number % len(values)] if number < labelled else UNKNOWN


def _make_sample(folder: Path, number: int, *, of_objects: bool) -> dict[str, object]:
    pixels = np.full((90, 120, 3), 40, np.uint8)
    pixels[20:60, 30:80] = [(37 * number) % 256, (91 * number) % 256, 180]
    path = f"{number}.png"
    Image.fromarray(pixels).save(folder / path)
    box = dict(zip("xywh", (30.0, 20.0, 50.0, 40.0) if of_objects else (None,) * 4, strict=True))
    return {"sample_id": f"{number:016x}", "content_key": f"{number:032x}", "path": path,
            "width": 120, "height": 90, **box}  # fmt: skip


def make_check_app(asked: Questionnaire) -> ASGIApp:
    images = SampleImages(index_samples(asked.task.samples), asked.task.root)
    return make_app(
        make_check_router(lambda: asked), make_image_router(images), policy=BEHAVIOR.policy
    )


def offer_run() -> list[Offer]:
    return [("Make the report anew with what was checked:", "weakspot run audit.toml")]


def main() -> None:
    """Serve `FOLDER PORT`, printing the address."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    of_objects = "--objects" in sys.argv
    task = make_task(folder / "images", of_objects=of_objects)
    asked = Questionnaire(task, Journal(folder), checker="me", propose=offer_run)
    serve(make_check_app(asked), port=port, announce=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
