import polars as pl
import pytest

from pipeline.exceptions import TableError
from pipeline.tables import CHECKS, RESULTS, TABLES, Schema, check, empty


def test_a_frame_that_fits_comes_back_with_its_columns_in_order() -> None:
    frame = empty(CHECKS).select(list(CHECKS)[::-1])
    assert check(frame, CHECKS, table="checks").columns == list(CHECKS)


def test_all_that_is_wrong_with_a_frame_is_said_at_once() -> None:
    frame = pl.DataFrame({"a": ["x"], "c": [1]})
    schema: Schema = {"a": pl.Int64(), "b": pl.String()}
    with pytest.raises(TableError) as caught:
        check(frame, schema, table="t")
    text = str(caught.value)
    assert "'b' is missing" in text
    assert "'c' is not of this table" in text
    assert "'a' is String, expected Int64" in text


def test_null_columns_take_the_type_of_the_schema() -> None:
    frame = check(pl.DataFrame({"a": [None]}), {"a": pl.Float64()}, table="t")
    assert frame.schema == {"a": pl.Float64()}


@pytest.mark.parametrize("name", [*TABLES, *RESULTS])
def test_an_empty_table_keeps_its_schema(name: str) -> None:
    schema = {**TABLES, **RESULTS}[name]
    assert check(empty(schema), schema, table=name).height == 0
