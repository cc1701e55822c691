"""The result of scoring a system, and the key by which it is known to be stale."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.evaluation.evaluated_set import Evaluation
from pipeline.exceptions import PredictionsError

_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Scored:
    """The `errors` table of one system and what could not be joined.

    error_id: of every row, known also when there is none.
    errors_without_sample: rows or detections of images that are not in the dataset.
    samples_without_error: samples without outputs of the system, or without truth.
    notes: further counts and findings by name, as JSON values, for the report.
    warnings: in words, why the outputs may not be what they seem; no gate passes on them.
    matches: DETECTION_MATCHES of a detector, CLASS_MATCHES of a classifier, None of a table.
    image_counts: of a detector whose errors are of images, what `sweep_threshold` needs:
    sample_id, path, objects (that count), found, unmatched (detections); else None.
    evaluation: of a detector, in all images, also those without a sample.
    """

    errors: pl.DataFrame
    error_id: str
    errors_without_sample: int
    samples_without_error: int
    notes: Mapping[str, object]
    warnings: tuple[str, ...] = ()
    matches: pl.DataFrame | None = None
    image_counts: pl.DataFrame | None = None
    evaluation: Evaluation | None = None


@dataclass(frozen=True)
class Losses:
    """What each format returns: rows of sample_id and error (float >= 0), counts and notes.

    warnings, matches, image_counts, evaluation: as in `Scored`.
    """

    losses: pl.DataFrame
    errors_without_sample: int
    notes: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    matches: pl.DataFrame | None = None
    image_counts: pl.DataFrame | None = None
    evaluation: Evaluation | None = None


def scored_samples(samples: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that errors belong to: the objects if there are any, else the images."""
    objects = samples.filter(pl.col("parent_id").is_not_null())
    return samples if objects.is_empty() else objects


def make_error_id(
    system: System, *, samples: pl.DataFrame, truth: pl.DataFrame, asked: Sequence[str]
) -> str:
    """Return 16 hex digits of everything that errors are made from.

    That is the bytes of the predictions (not their paths), the truth, the system's name and
    settings, and the ids of the scored samples. Raises PredictionsError for files that cannot be
    read.
    """
    unset = set() if system.attribute else {"attribute"}  # so that ids of others stay
    settings = system.model_dump(mode="json", exclude={"predictions", *unset})
    digest = hashlib.sha256(json.dumps([settings, sorted(asked)], sort_keys=True).encode("utf-8"))
    for path in system.predictions:
        digest.update(hash_bytes(path))
    digest.update(truth.write_csv().encode("utf-8"))
    digest.update("\0".join(samples["sample_id"].sort().to_list()).encode("utf-8"))
    return digest.hexdigest()[:16]


def hash_bytes(path: Path) -> bytes:
    """Return the sha256 of a file, or of a folder's .txt files with their names.

    Raises PredictionsError if they cannot be read.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for label in sorted(path.glob("*.txt")):
            digest.update(os.fsencode(label.name) + b"\0" + hash_bytes(label))
        return digest.digest()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        raise PredictionsError(f"{path}: there is no such file") from None
    except OSError as error:
        raise PredictionsError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.digest()
