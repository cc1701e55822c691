"""Detection by words in the demo's drawn world, and what windows cost beside whole images.

`python -m tests.benchmarks.bench_words [--people 100] [--empty 200]`. Scenes are drawn
anew, other ones than those by which the words below were chosen. The demo's encoder was trained on
pictures of people alone: it has no words for a scene without any, and "nothing" is nearest to what
it learned of people who are hidden or blurred.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

import pipeline.demo
from flows.windows.embed_windows import embed_windows
from pipeline.arrays import Floats
from pipeline.config.audit import EncoderConfig
from pipeline.config.boxes import ByWords
from pipeline.config.windows import WindowRule
from pipeline.demo.drawing.picture import Picture, draw_picture, paint_scene
from pipeline.demo.scene_truth import HEIGHT, WIDTH, Plan, Scene, draw_scene
from pipeline.detectors.detector import Detection
from pipeline.detectors.patches_detector import PatchesDetector, make_patches_detector
from pipeline.detectors.window_boxes import find_boxes, find_one_box, score_windows
from pipeline.embeddings.encoder import OpenClipEncoder, load_encoder
from pipeline.errors.evaluation.detector_check import check_detector
from pipeline.images.windows import list_windows
from pipeline.workspace.store import open_store

ENCODER = Path(pipeline.demo.__file__).parent / "encoder"
FACES = Path("../shared/data/weights/face-lite").absolute()  # of an ordinary size
SEED = 4711
RULE = WindowRule(scales=(0.32, 0.45, 0.62, 0.84), aspects=(0.4, 0.6), stride=0.4)
LEAST = 0.1  # lower than the detector's own, so that a recall of one half is reached
WORDS = {
    "a person": (("a person",), ("an empty street", "a wall", "the sky", "the ground", "a house")),
    "visible, not hidden": (
        ("a person fully visible", "a person with the full body in view"),
        ("a person hidden behind something", "a person behind a wall", "a person behind a pillar",
         "a person partly covered", "a person half hidden", "a person blurry"),
    ),
}  # fmt: skip
_TIMES = 5


def main() -> None:
    """Print the table of docs/zero_shot.md and the cost of windows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--empty", type=int, default=200)
    asked = parser.parse_args()
    encoder = load_encoder(EncoderConfig(model=f"local-dir:{ENCODER}", precision="fp32"))
    measure_cost("demo encoder", encoder)
    if FACES.is_dir():
        faces = EncoderConfig(model=f"local-dir:{FACES}", precision="fp32")
        measure_cost("face-lite", load_encoder(faces))
    pictures = [draw_picture(SEED, number, Plan()) for number in range(asked.people)]
    pictures += [draw_empty(number) for number in range(asked.empty)]
    windows = list_windows(WIDTH, HEIGHT, RULE)
    vectors = [encode(encoder, one.image, windows) for one in pictures]
    truth = list_truth(pictures)
    print(f"{asked.people} scenes with {truth.height} people, {asked.empty} without, "
          f"{len(windows)} windows each")  # fmt: skip
    for title, (texts, background) in WORDS.items():
        words = ByWords(categories={"person": texts}, background=background, windows=RULE)
        detector = make_patches_detector(
            "patches", words, encode=encoder.encode_images, encode_texts=encoder.encode_texts,
            encoder_id=encoder.encoder_id, logit_scale=encoder.logit_scale,
        )  # fmt: skip
        compare(title, detector, vectors, windows, truth)


def compare(
    title: str,
    detector: PatchesDetector,
    vectors: Sequence[Floats],
    windows: Floats,
    truth: pl.DataFrame,
) -> None:
    """Print AP50 of several scales, of one box, and of random boxes of the same number."""
    rng = np.random.default_rng(SEED)
    scores = [
        score_windows(one, detector.prototypes, detector.background,
                      logit_scale=detector.logit_scale)
        for one in vectors
    ]  # fmt: skip
    several = [find_boxes(windows, one, ("person",), min_score=LEAST) for one in scores]
    one_box = [
        find_one_box(windows, one, ("person",), min_score=0, size=(WIDTH, HEIGHT)) for one in scores
    ]
    chance = [[draw_box(rng) for _ in found] for found in several]
    for name, found in (("several scales", several), ("one box", one_box), ("random", chance)):
        check = check_detector(truth, list_found(found), list_paths(len(vectors)))
        row = check.row(0, named=True)
        half = "-" if row["score_half"] is None else f"{row['false_without_half']:.2f}"
        print(
            f"  {title:22} {name:15} AP50 {row['ap50']:.3f}  AP {row['ap']:.3f}  recall "
            f"{row['recall']:.2f}  false an empty scene at recall .5: {half}, at scores from .9: "
            f"{count_false(found, truth):.2f}"
        )


def count_false(found: Sequence[Sequence[Detection]], truth: pl.DataFrame) -> float:
    """Return the detections of a score of 0.9 or more an image without people."""
    holding = set(truth["path"])
    empty = [one for place, one in enumerate(found) if str(place) not in holding]
    return sum(box.score >= 0.9 for one in empty for box in one) / len(empty)


def measure_cost(name: str, encoder: OpenClipEncoder) -> None:
    """Print what windows of one image cost through the pass, beside a batch of as many images."""
    rule = RULE.model_copy(update={"scales": (0.5, 0.75), "aspects": (0.5,), "stride": 0.2})
    with tempfile.TemporaryDirectory() as made_folder:
        folder = Path(made_folder)
        image = draw_picture(SEED, 0, Plan()).image
        image.save(folder / "0.png")
        count = len(list_windows(WIDTH, HEIGHT, rule))
        images = pl.DataFrame(
            {"content_key": ["k"], "path": ["0.png"], "width": [WIDTH], "height": [HEIGHT]}
        )
        crops = [image.resize((100, 100)) for _ in range(count)]
        pixels = np.stack([encoder.prepare(one) for one in crops])

        def embed(turn: int) -> None:
            store = open_store(folder / f"workspace-{turn}")
            embed_windows(images, rule, root=folder, encoder=encoder, store=store, stage="bench")

        forward = time_median(lambda _: encoder.encode_pixels(pixels, batch_size=count))
        whole = time_median(lambda _: encoder.encode_images(crops))
        made = time_median(embed)
    print(
        f"{name}: {count} windows of one image, cut, embedded and kept: {made:.2f} s, "
        f"{made / forward:.2f}x the forward of a batch of {count} images, "
        f"{made / whole:.2f}x with their resizing"
    )


def time_median(work: Callable[[int], object]) -> float:
    """Return the median CPU seconds of some turns, the first left out."""
    seconds = []
    for turn in range(_TIMES + 1):
        start = time.process_time()
        work(turn)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds[1:])


def encode(encoder: OpenClipEncoder, image: Image.Image, windows: Floats) -> Floats:
    """Return (m, d) vectors of the windows of an image."""
    crops = [image.crop((x, y, x + w, y + h)) for x, y, w, h in windows.astype(int).tolist()]
    return encoder.encode_images(crops).astype(np.float64)


def draw_empty(number: int) -> Picture:
    """Return a scene without people: its place, its weather and its props."""
    rng = np.random.default_rng([SEED + 1, number])
    return paint_scene(Scene(draw_scene(rng, Plan()).conditions, ()), rng)


def draw_box(rng: np.random.Generator) -> Detection:
    """Return a random box with the sides of a random window, anywhere in the image."""
    height = float(rng.choice(RULE.scales)) * HEIGHT
    width = height * float(rng.choice(RULE.aspects))
    x, y = rng.uniform(0, WIDTH - width), rng.uniform(0, HEIGHT - height)
    return Detection("person", float(x), float(y), width, height, float(rng.random()))


def list_truth(pictures: Sequence[Picture]) -> pl.DataFrame:
    """Return the true boxes of all people."""
    rows = [
        (str(place), "person", *box, False, False)
        for place, one in enumerate(pictures)
        for box in one.boxes
    ]
    names = ["path", "category", "x", "y", "w", "h", "crowd", "ignore"]
    return pl.DataFrame(rows, schema=names, orient="row")


def list_found(found: Sequence[Sequence[Detection]]) -> pl.DataFrame:
    """Return the detections of all images."""
    rows = [(str(place), *box) for place, one in enumerate(found) for box in one]
    names = ["path", "category", "x", "y", "w", "h", "score"]
    return pl.DataFrame(rows, schema=names, orient="row")


def list_paths(count: int) -> pl.Series:
    """Return the paths of all images."""
    return pl.Series([str(place) for place in range(count)])


if __name__ == "__main__":
    main()
