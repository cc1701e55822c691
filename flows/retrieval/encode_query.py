"""Words and pictures of a query as vectors of the encoder that made the stored ones."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from flows.retrieval.search_session import SearchSession
from flows.run.loaded_models import LoadEncoder, get_encoder, load_open_clip
from pipeline.arrays import Vectors
from pipeline.config.audit import EncoderConfig
from pipeline.config.dataset import CropRule
from pipeline.embeddings.card import Encoder, EncoderCard, read_spec_key
from pipeline.exceptions import ConfigError, EncoderMismatchError, StoreError
from pipeline.images.crop import Box, crop_image
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.retrieval.query import Vector
from pipeline.workspace.shards import read_vectors, write_vectors


@dataclass(frozen=True)
class QueryEncoder:
    """Encodes for one session; the model is loaded when something is not known yet."""

    session: SearchSession
    load: LoadEncoder = load_open_clip

    def encode_texts(self, texts: Sequence[str], *, keep: bool = True) -> Vector:
        """Return (t, d) unit vectors of texts, those known from prompts first.

        keep: write new ones beside the prompts, so that the next search needs no model. Raises
        EncoderError where the model cannot be loaded.
        """
        store, encoder_id = self.session.store, self.session.card.encoder_id
        if not texts:
            return np.zeros((0, self.session.card.dim), np.float32)
        known = read_vectors(texts, store.prompts, encoder_id=encoder_id)
        there = dict(zip(known.keys.to_list(), known.values, strict=True))
        missing = [text for text in dict.fromkeys(texts) if text not in there]
        if missing:
            made = self._load().encode_texts(missing)
            there |= dict(zip(missing, made, strict=True))
            if keep:
                keys = pl.Series("content_key", missing)
                with contextlib.suppress(OSError):  # a workspace that may only be read
                    write_vectors(Vectors(keys, made, encoder_id), store.prompts)
        return np.stack([there[text] for text in texts])

    def encode_image(self, name: str, *, box: Box | None = None) -> Vector:
        """Return the (d,) unit vector of an image file or a sample.

        name: a file, else a sample_id, or the path or file name of a sample. box: a part of the
        image, in pixels. Raises ConfigError for an unknown name, a picture that cannot be read and
        a box outside of it.
        """
        file = Path(name)
        if file.is_file():
            return self._encode_pixels(file, box)
        sample = self._find_sample(name)
        if box is not None:
            return self._encode_pixels(self.session.root / sample["path"], box)
        own = self.session.all_samples.filter(pl.col("sample_id") == sample["sample_id"])
        if own.is_empty():
            raise ConfigError(
                f"--image {name}: this sample has no vector; give --box, or the file of its image"
            )
        vector: Vector = self.session.scan.vectors[own["row"][0]].astype(np.float32)
        vector /= np.linalg.norm(vector)
        return vector

    def _encode_pixels(self, file: Path, box: Box | None) -> Vector:
        try:
            image = load_image(file)
            cut = image if box is None else crop_image(image, box, CropRule(margin=0))
        except ImageRejectedError as error:
            raise ConfigError(f"--image {file}: {error.reason}") from None
        return self.encode_picture(cut)

    def encode_picture(self, image: Image.Image) -> Vector:
        """Return the (d,) unit vector of a decoded image; raises EncoderError without a model."""
        vector: Vector = self._load().encode_images([image])[0]
        return vector

    def _find_sample(self, name: str) -> dict[str, str]:
        """Return sample_id and path of the one sample that is meant."""
        samples = self.session.store.read_samples().select("sample_id", "path", "parent_id")
        whole = pl.col("path").str.split("/").list.last() == name
        for meant in (pl.col("sample_id") == name, pl.col("path") == name, whole):
            found = samples.filter(meant)
            images = found.filter(pl.col("parent_id").is_null())
            found = images if images.height else found
            if found.height == 1:
                return found.row(0, named=True)
            if found.height > 1:
                ids = ", ".join(found["sample_id"].head(3))
                raise ConfigError(
                    f"--image {name}: {found.height:,} samples are called so; give one sample_id "
                    f"of {ids}{', ...' if found.height > 3 else ''}"
                )
        raise ConfigError(f"--image {name}: no file, and no sample of this workspace, is called so")

    def _load(self) -> Encoder:
        encoder = get_encoder(read_config(self.session.card), self.load)
        if encoder.encoder_id != self.session.card.encoder_id:
            raise EncoderMismatchError(
                f"the weights of {self.session.card.spec_key.split('|')[0]} are not those that "
                "made the stored vectors; run `weakspot embed` again"
            )
        return encoder


def read_config(card: EncoderCard) -> EncoderConfig:
    """Return the settings that an encoder of a workspace was loaded with.

    Raises StoreError where its card names none.
    """
    try:
        return EncoderConfig.model_validate(read_spec_key(card.spec_key))
    except ValueError as error:
        raise StoreError(f"encoder {card.encoder_id}: its card names no model: {error}") from None


def read_texts(file: Path) -> list[str]:
    """Return the captions of a text file, one a line, or of a CSV file: its column text or first.

    Raises ConfigError where there are none.
    """
    from pipeline.files.table_file import read_table, to_text

    try:
        if file.suffix == ".csv":
            table = read_table(file, error=ConfigError)
            names = [name for name in ("text", "caption") if name in table.columns]
            lines = to_text(table[(names or table.columns)[0]]).drop_nulls().to_list()
        else:
            lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--texts {file}: cannot be read: {error}") from None
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise ConfigError(f"--texts {file}: holds no text; write one caption a line")
    return list(dict.fromkeys(texts))
