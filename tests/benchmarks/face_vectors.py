"""CelebA faces and their vectors by face-lite: as they are, and as a foreign dataset."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from pipeline.arrays import Vectors
from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import Encoder
from pipeline.images.decode import load_image
from pipeline.labels.attribute_file import Attribute, find_shipped, read_attribute
from pipeline.labels.zero_shot import Ensemble, Prototypes, list_prompts, make_prototypes
from pipeline.workspace.shards import read_vectors, write_vectors

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
FACES, WEIGHTS = DATA / "celeba", DATA / "weights" / "face-lite"
# Columns of attributes.csv that mean a value: +1, or -1 where a minus stands before the name.
TRUTH = {
    "gender": {"man": "Male", "woman": "-Male"},
    "young": {"yes": "Young", "no": "-Young"},
    "pale": {"yes": "Pale_Skin", "no": "-Pale_Skin"},
    "hair_color": {
        "black": "Black_Hair", "brown": "Brown_Hair", "blond": "Blond_Hair", "gray": "Gray_Hair",
    },
    "eyeglasses": {"yes": "Eyeglasses", "no": "-Eyeglasses"},
    "hat": {"yes": "Wearing_Hat", "no": "-Wearing_Hat"},
    "bald": {"yes": "Bald", "no": "-Bald"},
    "goatee": {"yes": "Goatee", "no": "-Goatee"},
    "beard": {"yes": "-No_Beard", "no": "No_Beard"},
    "smiling": {"yes": "Smiling", "no": "-Smiling"},
}  # fmt: skip
# Attributes of the reference table that are not shipped, in several wordings.
_PROMPTS: dict[str, dict[str, tuple[str, ...]]] = {
    "young": {
        "yes": ("a young person", "a young adult", "a youthful face", "a person in their twenties"),
        "no": ("an old person", "an elderly person", "an aged face", "a person over fifty"),
    },
    "pale": {
        "yes": ("a person with pale skin", "a pale face", "a very fair person", "a pallid face"),
        "no": ("a person with tanned skin", "a tanned face", "a person with rosy skin",
               "a face with healthy color"),
    },
    "goatee": {
        "yes": ("a man with a goatee", "a goatee on the chin", "a chin beard",
                "a person with a small pointed beard"),
        "no": ("a person with a bare chin", "a smooth chin", "a person without chin hair",
               "a clean-shaven chin"),
    },
}  # fmt: skip
_BLOCK = 256  # images decoded and encoded at a time


class Faces:
    """The faces of CelebA that are here, in the order of their names.

    folder: where vectors are kept. degraded: in gray, a quarter of the pixels, crops shifted.
    """

    def __init__(self, folder: Path, *, degraded: bool = False) -> None:
        from pipeline.embeddings.encoder import load_encoder

        self.folder = folder / ("degraded" if degraded else "plain")
        self.degraded = degraded
        self.table = pl.read_csv(FACES / "attributes.csv").sort("file")
        self.names = self.table["file"]
        config = EncoderConfig(model=f"local-dir:{WEIGHTS.resolve()}", batch_size=16)
        self.encoder: Encoder = load_encoder(config)
        self.vectors = self._embed()

    def read_truth(self, name: str) -> pl.Series:
        """Return (n,) the true value of an attribute, null where none or several are true."""
        columns = {value: meant.removeprefix("-") for value, meant in TRUTH[name].items()}
        signs = {value: -1 if TRUTH[name][value].startswith("-") else 1 for value in columns}
        hits = [self.table[column] == signs[value] for value, column in columns.items()]
        matrix = np.stack([hit.to_numpy() for hit in hits], axis=1)
        names = pl.Series(list(columns), dtype=pl.String).gather(matrix.argmax(axis=1))
        return names.set(pl.Series(matrix.sum(axis=1) != 1), None).alias(name)

    def make_attribute(self, name: str) -> Attribute:
        """Return the shipped attribute, cut to the values that CelebA knows, or our own."""
        if name in _PROMPTS:
            return Attribute(name=name, kind="prompts", values=_PROMPTS[name])
        shipped = read_attribute(find_shipped(f"person/{name}"))
        values = {value: shipped.values[value] for value in TRUTH[name]}
        return Attribute(**{**shipped.model_dump(exclude_unset=True), "values": values})

    def weigh_prompts(self, attribute: Attribute, ensemble: Ensemble) -> Prototypes:
        """Return the vectors of the values of an attribute."""
        prompts = list_prompts(attribute)
        found = self.encoder.encode_texts(prompts)
        texts = Vectors(pl.Series(prompts), found, self.encoder.encoder_id)
        scale = self.encoder.logit_scale
        return make_prototypes(attribute, texts, logit_scale=scale, ensemble=ensemble)

    def _embed(self) -> Vectors:
        known = read_vectors(self.names, self.folder, encoder_id=self.encoder.encoder_id)
        done = set(known.keys)
        missing = [name for name in self.names if name not in done]
        for start in range(0, len(missing), _BLOCK):
            block = missing[start : start + _BLOCK]
            images = [self._load(name) for name in block]
            keys = pl.Series("content_key", block)
            made = Vectors(keys, self.encoder.encode_images(images), self.encoder.encoder_id)
            write_vectors(made, self.folder)
        return read_vectors(self.names, self.folder, encoder_id=self.encoder.encoder_id)

    def _load(self, name: str) -> Image.Image:
        image = load_image(FACES / "images" / name)
        return (
            degrade(image, seed=int("".join(filter(str.isdigit, name)))) if self.degraded else image
        )


def degrade(image: Image.Image, *, seed: int) -> Image.Image:
    """Return a face in gray, with a quarter of the pixels, its crop shifted by up to an eighth."""
    rng = np.random.default_rng(seed)
    width, height = image.size
    right, down = rng.uniform(-1, 1, 2) * np.array([width, height]) / 8
    shifted = image.crop(
        (round(right), round(down), round(right) + width, round(down) + height)
    )  # black beyond the border
    small = shifted.convert("L").resize((width // 2, height // 2), Image.Resampling.BILINEAR)
    return small.convert("RGB")
