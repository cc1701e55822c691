"""One vector for each class of a line: the mean of its prompts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.arrays import Floats
from pipeline.exceptions import EncoderError
from pipeline.zero_shot.class_texts import PromptLine
from pipeline.zero_shot.long_texts import Fits, split_long_texts

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class ClassVectors:
    """The classes of a line as vectors.

    vectors: (v, d) of unit length. prompts: how many distinct ones. long: of these, how many were
    longer than the context and averaged over sentences; cut: pieces that still were.
    """

    vectors: Floats
    prompts: int
    long: int
    cut: int


def make_class_vectors(line: PromptLine, *, encode: Encode, fits: Fits) -> ClassVectors:
    """Return the unit-length mean of the unit vectors of each class's prompts.

    As CLIP_benchmark does (Radford et al. 2021, section 3.1.4). A prompt that does not fit into the
    context is the unit-length mean of its sentences, so that a long one weighs no more.
    encode: (m, d) vectors of m texts. Raises EncoderError where a mean is zero.
    """
    texts = list(dict.fromkeys(text for own in line.prompts for text in own))
    split = split_long_texts(texts, fits=fits)
    pieces = list(dict.fromkeys(piece for own in split.pieces for piece in own))
    units = make_unit(encode(pieces).astype(np.float64))
    place = {piece: row for row, piece in enumerate(pieces)}
    whole = make_unit(
        np.stack([units[[place[piece] for piece in own]].mean(axis=0) for own in split.pieces])
    )
    row_of = {text: row for row, text in enumerate(texts)}
    means = [whole[[row_of[text] for text in own]].mean(axis=0) for own in line.prompts]
    return ClassVectors(make_unit(np.stack(means)), len(texts), split.long, split.cut)


def make_unit(vectors: Floats) -> Floats:
    """Return (n, d) vectors of unit length; raises EncoderError where one has none."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EncoderError("a vector is zero or not finite; use precision fp32")
    unit: Floats = vectors / lengths[:, None]
    return unit
