"""What a detector as a whole is judged by; light to import."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a detector as a whole is judged by.

    matches: DETECTION_MATCHES of the detections that count; boxes are null in images whose size is
    not known, which hold no object. truth: OBJECTS of the asked categories, with sample_id, null
    where an object is no sample.
    """

    matches: pl.DataFrame
    truth: pl.DataFrame
