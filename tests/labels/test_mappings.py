"""Mappings compared with the cells that are there: what fits, what is absent or misspelled."""

import polars as pl
import pytest

from pipeline.exceptions import DatasetError
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.given import Meanings
from pipeline.labels.mappings import (
    MappingFit,
    fit_given,
    fit_mapping,
    refuse_other_values,
)

CELLS = ["male"] * 5 + ["female"] * 3 + [None]
GENDER = {"man": ("sex", ("male",)), "woman": ("sex", ("female",))}


def fit(
    meanings: Meanings, cells: list[str | None] = CELLS, *, complete: bool = True
) -> MappingFit:
    table = pl.DataFrame({"sex": cells, "hat": ["1"] * len(cells)})
    where = "[dataset.truth.gender]"
    return fit_mapping("gender", table, meanings, where=where, complete=complete)


def test_a_mapping_that_fits_counts_its_rows() -> None:
    found = fit(GENDER)
    assert [(one.value, one.rows) for one in found.values] == [("man", 5), ("woman", 3)]
    assert (found.unlisted, found.empty, found.faults) == ((), 1, ())
    assert found.describe() == "gender: man 5, woman 3; 1 empty"


def test_another_case_is_a_fault_that_names_both_spellings() -> None:
    (fault,) = fit({**GENDER, "man": ("sex", ("Male",))}).faults[:1]
    assert fault == (
        "[dataset.truth.gender] man: no cell of column 'sex' is 'Male', 5 are 'male'; cells are "
        "compared letter by letter"
    )


@pytest.mark.parametrize("written", ["MALE", "ma_le", "Ma le", "ma-le"])
def test_spellings_that_differ_in_case_spaces_and_dashes_are_faults(written: str) -> None:
    assert f"is {written!r}, 5 are 'male'" in fit({"man": ("sex", (written, "m"))}).faults[0]


def test_a_value_without_a_row_is_a_fault_that_names_the_cells_and_how_often() -> None:
    (fault,) = fit({**GENDER, "man": ("sex", ("m", "boy"))}).faults
    assert "[dataset.truth.gender] man: no cell of column 'sex' is 'm' or 'boy'" in fault
    assert "its cells are 'male' (5), 'female' (3)" in fault


def test_of_some_rows_alone_a_value_may_be_absent_but_not_misspelled() -> None:
    assert fit({**GENDER, "man": ("sex", ("m",))}, complete=False).faults == ()
    assert fit({**GENDER, "man": ("sex", ("Male",))}, complete=False).faults
    assert "no row has a value" in fit({"man": ("sex", ("m",))}, complete=False).faults[0]


def test_a_value_is_merely_absent_where_every_cell_has_one() -> None:
    found = fit({**GENDER, "other": ("sex", ("diverse",))})
    assert found.faults == ()
    assert found.describe() == "gender: man 5, woman 3, other 0; 1 empty"


def test_a_cell_that_is_absent_beside_one_that_occurs_is_no_fault() -> None:
    assert fit({**GENDER, "man": ("sex", ("male", "m", "MALE"))}).faults == ()


def test_columns_of_flags_may_hold_no_row_of_a_value() -> None:
    table = pl.DataFrame({"black": ["1", "-1"], "grey": ["-1", "-1"]})
    meanings = {"black": ("black", ("1",)), "grey": ("grey", ("1",))}
    assert fit_mapping("hair", table, meanings, where="hair").faults == ()


def test_numbers_fit_however_they_are_written() -> None:
    assert fit({"yes": ("hat", ("1.0",))}).values[0].rows == 9


def test_cells_of_no_value_are_counted() -> None:
    found = fit({"man": ("sex", ("male",))})
    assert found.faults == ()
    assert found.describe() == "gender: man 5; 3 cells of no value: 'female' (3); 1 empty"


def test_a_column_that_is_empty_is_a_fault() -> None:
    (fault,) = fit(GENDER, [None, None]).faults
    assert fault == "[dataset.truth.gender]: no row has a value; every cell is empty"
    assert fit(GENDER, []).faults == ()


def test_the_mapping_of_a_given_attribute_is_compared_with_its_column() -> None:
    columns = pl.DataFrame({"sample_id": ["a", "b", "c"], "sex": ["m", "w", "?"]})
    targets = columns.head(2)

    def fit_values(**values: tuple[str, ...]) -> MappingFit | None:
        attribute = Attribute(name="gender", kind="given", column="sex", values=values)
        return fit_given(attribute, columns, targets)

    found = fit_values(man=("m",), woman=("w",))
    assert found is not None
    assert found.describe() == "gender: man 1, woman 1"
    assert fit_given(Attribute(name="sex", kind="given"), columns, targets) is None
    with pytest.raises(DatasetError, match=r"'gender', values man: no cell .* is 'M', 1 are 'm'"):
        fit_values(man=("M",), woman=("w",))


def test_true_values_that_are_all_no_cell_of_a_given_attribute_are_refused() -> None:
    columns = pl.DataFrame({"sample_id": ["a", "b"], "sex": ["male", "female"]})
    attribute = Attribute(name="sex", kind="given")
    with pytest.raises(
        DatasetError, match=r"truth.sex\]: none of its values \('man', 'woman'\)"
    ) as no:
        refuse_other_values(attribute, columns, columns, ["man", "woman"])
    assert "which holds 'female' (1), 'male' (1)" in str(no.value)
    refuse_other_values(attribute, columns, columns, ["male", "other"])
    refuse_other_values(attribute, columns, columns, [])
