"""Labels of single samples with their scores, and how scores of an attribute are spread."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipeline.images.measure import MEASURE_VERSION
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.measured import get_raw_measure
from pipeline.tables import empty
from pipeline.vocabulary import UNKNOWN
from pipeline.workspace.label_columns import LabelColumn
from pipeline.workspace.shards import read_measure
from pipeline.workspace.store import Store
from reports.site_models import NUMBERS

BINS = 10  # of scores, from 0 to 1
_PER_VALUE = 3  # samples of each value among the most and the least certain
_LABEL = {
    "sample_id": pl.String(),
    "attribute": pl.String(),
    "value": pl.String(),
    "score": pl.Float64(),
}


def read_shown_labels(
    store: Store, columns: Sequence[LabelColumn], sample_ids: Sequence[str]
) -> pl.DataFrame:
    """Return sample_id, attribute, value and score of some samples, in the order of the columns.

    Of an attribute of the whole image an object has the label of its image.
    """
    query = """
        SELECT wanted.sample_id, labels.value, labels.score
        FROM wanted JOIN samples USING (sample_id) JOIN labels ON labels.sample_id =
            CASE WHEN ? THEN coalesce(samples.parent_id, samples.sample_id)
            ELSE samples.sample_id END
        WHERE labels.label_id = ? ORDER BY wanted.sample_id
    """
    frames = [pl.DataFrame(schema=_LABEL)]
    with store.connect() as connection:
        connection.register("wanted", pl.DataFrame({"sample_id": list(sample_ids)}).to_arrow())
        for column in columns:
            found = connection.sql(query, params=[column.of_image, column.label_id]).pl()
            frames.append(
                found.select(
                    "sample_id",
                    pl.lit(column.attribute).alias("attribute"),
                    "value",
                    pl.col("score").cast(pl.Float64),
                )
            )
    return pl.concat(frames)


def count_scores(store: Store, label_id: str) -> pl.DataFrame:
    """Count the labels of each value by score: value, low, high and n; nothing without scores."""
    query = f"""
        SELECT value, least(floor(score * {BINS}), {BINS - 1}) / {BINS} AS low, count(*) AS n
        FROM labels WHERE label_id = ? AND score IS NOT NULL AND value <> ?
        GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 - a number of ours
    with store.connect() as connection:
        found: pl.DataFrame = connection.sql(query, params=[label_id, UNKNOWN]).pl()
    return found.select(
        "value",
        pl.col("low").cast(pl.Float64),
        (pl.col("low") + 1 / BINS).cast(pl.Float64).alias("high"),
        pl.col("n").cast(pl.Int64),
    )


def spread_numbers(
    store: Store, attribute: Attribute | None, content_keys: pl.Series
) -> pl.DataFrame:
    """Return NUMBERS of a measured attribute by equal bins; nothing of other attributes.

    content_keys: of the samples. Bins reach from the 1st to the 99th percentile: a few numbers far
    away would leave all others in one of them. Of measures of boxes and texts there is nothing,
    since these are not kept.
    """
    measured = attribute is not None and attribute.kind == "measured"
    measure = get_raw_measure(attribute) if attribute is not None and measured else None
    if measure is None:
        return empty(NUMBERS)
    rows = read_measure(store.measurements, measure, version=MEASURE_VERSION)
    found = rows.join(pl.DataFrame({"content_key": content_keys}), on="content_key")["value"]
    numbers = found.drop_nulls().to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return empty(NUMBERS)
    low, high = np.quantile(numbers, (0.01, 0.99))
    if low == high:
        low, high = numbers.min(), numbers.max()
    counts, edges = np.histogram(np.clip(numbers, low, high), 2 * BINS)
    columns = {"low": edges[:-1], "high": edges[1:], "n": counts}
    return pl.DataFrame(columns, schema=dict(NUMBERS))


def pick_certain(store: Store, label_id: str, *, least: bool) -> list[str]:
    """Return samples whose label has the largest margin, or the least, some of each value."""
    sign = "" if least else "-"
    query = f"""
        WITH picked AS (
            SELECT value, unnest(min(
                struct_pack(place := {sign}margin, sample_id := sample_id), {_PER_VALUE}
            )) AS one
            FROM labels WHERE label_id = ? AND margin IS NOT NULL AND value <> ? GROUP BY value
        )
        SELECT one.sample_id FROM picked ORDER BY value, one.place, one.sample_id
    """  # noqa: S608 - a sign and a number of ours
    with store.connect() as connection:
        found = connection.sql(query, params=[label_id, UNKNOWN]).pl()
    ids: list[str] = found["sample_id"].to_list()
    return ids


def pick_unknown(store: Store, label_id: str, *, count: int) -> list[str]:
    """Return samples that have no value, in the order of their ids, which is none of the data."""
    query = """
        SELECT sample_id FROM labels WHERE label_id = ? AND value = ? ORDER BY sample_id LIMIT ?
    """
    with store.connect() as connection:
        found = connection.sql(query, params=[label_id, UNKNOWN, count]).pl()
    ids: list[str] = found["sample_id"].to_list()
    return ids
