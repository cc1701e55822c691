"""Whether an encoder can be trusted: neutral words on CelebA, and an encoder that reads.

`python -m tests.benchmarks.bench_trust [bias] [reading]` runs one part alone.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from pipeline.arrays import Floats, Ints, Vectors
from pipeline.attacks.attack import Attacked, attack_pictures
from pipeline.attacks.flips import READS_TEXT, measure_flips
from pipeline.attacks.written_words import fit, name_value
from pipeline.demo.audit_files import find_encoder
from pipeline.demo.training.captions import ATTRIBUTE_VALUES
from pipeline.demo.training.training_set import Pictures, make_pictures, sift_crops
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.encoder import load_encoder
from pipeline.images.fill_text import fill_boxes
from pipeline.labels.attribute_file import Attribute, read_attribute
from pipeline.labels.zero_shot import (
    Prototypes,
    choose_values,
    list_prompts,
    make_prototypes,
    weigh_values,
)
from pipeline.probes.judge_probes import GroupedImages, ProbeSettings, judge_probes
from pipeline.probes.probe_file import ProbeFile, ProbePair, read_neutral_nouns, read_probes
from pipeline.probes.wordings import Cosines
from tests.benchmarks.reading_encoder import READ, UNREAD, name_config, train_reader

_HELD_OUT = 200  # nouns that make neutral probes; the others are the null


def compare_words(
    encoder: Encoder, vectors: Floats, words: Sequence[str], templates: Sequence[str]
) -> Cosines:
    """Return the cosines of unit vectors with words, in each template and in their mean."""
    texts = [template.replace("{}", word) for template in templates for word in words]
    made = encoder.encode_texts(texts).astype(np.float64).reshape(len(templates), len(words), -1)
    means = made.mean(axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    each = {(template, word): vectors @ made[t, w]
            for t, template in enumerate(templates) for w, word in enumerate(words)}  # fmt: skip
    return Cosines({word: vectors @ means[w] for w, word in enumerate(words)}, each)


def bench_bias() -> None:
    """Neutral pairs, the shipped probes and ten against ten, on CelebA by face-lite."""
    from tests.benchmarks.face_vectors import FACES, Faces

    if not FACES.exists():
        print("bias: skipped, ../shared/data is not there")
        return
    with tempfile.TemporaryDirectory() as folder:
        faces = Faces(Path(folder))
    vectors = faces.vectors.values.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    images = GroupedImages(
        "gender", faces.read_truth("gender"), faces.table["identity"].cast(pl.String)
    )
    nouns = list(read_neutral_nouns())
    order = np.random.default_rng(0).permutation(len(nouns))
    held = [nouns[place] for place in order[:_HELD_OUT]]
    rest = [nouns[place] for place in order[_HELD_OUT:]]
    shipped = read_probes([])
    neutral = ProbeFile(
        name="neutral",
        templates=shipped[0].templates,
        pairs=tuple(
            ProbePair(first=(one,), second=(other,))
            for one, other in zip(held[::2], held[1::2], strict=True)
        ),
    )
    started = time.perf_counter()
    cosines = {
        file.name: compare_words(
            faces.encoder, vectors, [*dict.fromkeys(file.words), *nouns], file.templates
        )
        for file in (neutral, *shipped)
    }
    table = judge_probes([neutral], cosines, images, nouns=rest, settings=ProbeSettings())
    print(f"neutral against neutral, {table.height} pairs on {len(vectors):,} faces by face-lite:")
    print(f"  usual permutation of images calls {np.mean(table['image_p'].to_numpy() < 0.05):.3f}")
    print(f"  word null calls {np.mean(table['p'].to_numpy() < 0.05):.3f}, "
          f"verdict shown {np.mean((table['verdict'] == 'shown').to_numpy()):.3f}")  # fmt: skip
    print(f"  |d| of neutral pairs: median {table['null_median'][0]:.2f}, "
          f"95 % {table['null_edge'][0]:.2f}")  # fmt: skip
    table = judge_probes(shipped, cosines, images, nouns=nouns, settings=ProbeSettings())
    print("shipped probes:", dict(table["verdict"].value_counts().iter_rows()))
    for row in table.sort("p").head(5).to_dicts():
        words = f"{row['first']} / {row['second']}"
        print(f"  {words}: d {row['d']:+.2f} p {row['p']:.3f} of all {row['p_family']:.3f} "
              f"wordings {row['wordings_held']:.0%} {row['verdict']}")  # fmt: skip
    few = _take_ten(images)
    part = {name: _select(own, few) for name, own in cosines.items()}
    ten = GroupedImages("gender", images.groups.gather(few), images.clusters.gather(few))
    small = judge_probes(shipped, part, ten, nouns=nouns, settings=ProbeSettings())
    print("ten against ten:", dict(small["verdict"].value_counts().iter_rows()),
          f"needed {min(small['needed_n'])} to {max(small['needed_n'])}")  # fmt: skip
    print(f"  {time.perf_counter() - started:.0f} s")


def _take_ten(images: GroupedImages) -> Ints:
    groups = images.groups.to_numpy()
    return np.concatenate([np.flatnonzero(groups == value)[:10] for value in ("man", "woman")])


def _select(cosines: Cosines, rows: Ints) -> Cosines:
    return Cosines(
        {word: own[rows] for word, own in cosines.together.items()},
        {key: own[rows] for key, own in cosines.each.items()},
    )


def bench_reading() -> None:
    """Flips of an encoder that reads, of the demo's own, and what masks help."""
    crops, _ = make_pictures(images=60, seed=5_000_000, workers=1)
    crops = sift_crops(crops)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        reader = load_encoder(name_config(train_reader(Path(folder))))
        print(f"trained an encoder that reads in {time.perf_counter() - started:.0f} s")
    plain = load_encoder(name_config(Path(find_encoder())))
    table = _attack(reader, crops, (*READ, *UNREAD), count=80)
    _print_flips("an encoder that reads", table)
    named = table.filter(verdict=READS_TEXT)["attribute"].to_list()
    print(f"  named: {', '.join(sorted(named))}; planted: {', '.join(READ)}")
    _print_flips("the demo's encoder", _attack(plain, crops, (*READ, *UNREAD), count=80))
    masked = _attack(reader, crops, ("clothing", "sex"), count=40, masked=True)
    _print_flips("an encoder that reads, with mask", masked.filter(defence="mask"))


def _attack(
    encoder: Encoder,
    crops: Pictures,
    names: Sequence[str],
    *,
    count: int,
    masked: bool = False,
) -> pl.DataFrame:
    """Return FLIPS of all areas."""
    pictures = [fit(Image.fromarray(pixels)) for pixels in crops.pixels[:count]]
    clusters = pl.Series([str(n) for n in range(len(pictures))])
    attempts = []
    for name in names:
        attribute = read_attribute(Path(find_encoder()).parent / "attributes" / f"{name}.toml")
        prototypes = _weigh_prompts(encoder, attribute)
        words = tuple(name_value(value, attribute.values[value]) for value in prototypes.values)
        attacked = Attacked(name, words, pictures, _read_truth(crops, attribute, count), clusters)
        label = partial(_label, prototypes)
        found = attack_pictures(attacked, encoder.encode_images, {"none": label}, areas=(0.05, 0.1))
        attempts += found
        if masked:
            encode = _mask(encoder)
            attempts += attack_pictures(
                attacked, encode, {"mask": label}, areas=(0.05, 0.1), plain=found[0].clean
            )
    return measure_flips(attempts).filter(pl.col("area").is_null())


def _mask(encoder: Encoder) -> Callable[[Sequence[Image.Image]], NDArray[np.float32]]:
    from pipeline.texts.rapidocr_reader import load_reader

    reader = load_reader()

    def encode(pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        boxes = [[(one.x, one.y, one.w, one.h) for one in reader.read(p)] for p in pictures]
        filled = [fill_boxes(p, own) for p, own in zip(pictures, boxes, strict=True)]
        return encoder.encode_images(filled)

    return encode


def _weigh_prompts(encoder: Encoder, attribute: Attribute) -> Prototypes:
    prompts = list_prompts(attribute)
    texts = Vectors(pl.Series(prompts), encoder.encode_texts(prompts), encoder.encoder_id)
    return make_prototypes(attribute, texts, logit_scale=encoder.logit_scale)


def _label(prototypes: Prototypes, vectors: Floats) -> Ints:
    ids = pl.Series(range(len(vectors))).cast(pl.String)
    own = Vectors(ids, vectors.astype(np.float32), prototypes.encoder_id)
    return choose_values(weigh_values(own, prototypes, sample_ids=ids))[0]


def _read_truth(crops: Pictures, attribute: Attribute, count: int) -> Ints:
    places = [ATTRIBUTE_VALUES.index((attribute.name, value)) for value in attribute.values]
    codes: Ints = crops.truth[:count][:, places].argmax(axis=1)
    return codes


def _print_flips(title: str, table: pl.DataFrame) -> None:
    print(f"{title}:")
    for row in table.to_dicts():
        low, high = row["difference_low"], row["difference_high"]
        change = "" if row["accuracy_change"] is None else f" ({row['accuracy_change']:+.3f})"
        print(
            f"  {row['attribute']:10} flips {row['flips']:.3f} nonsense "
            f"{row['control_flips']:.3f} difference {row['difference']:+.3f} ({low:+.3f} to "
            f"{high:+.3f}) clean {row['clean_accuracy']:.3f}{change} {row['verdict']}"
        )


def main() -> None:
    """Run the parts that are named, or both."""
    asked = sys.argv[1:] or ["bias", "reading"]
    if "bias" in asked:
        bench_bias()
    if "reading" in asked:
        bench_reading()


if __name__ == "__main__":
    main()
