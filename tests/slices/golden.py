"""The two tables whose best slices the SliceLine paper and its reference code publish."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

TABULAR = Path(__file__).parents[3] / "shared" / "data" / "tabular"
Floats = NDArray[np.float64]
_ADULT = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation",
    "relationship", "race", "sex", "gain", "loss", "hours", "country", "income",
)  # fmt: skip
_ADULT_NUMBERS = ("age", "fnlwgt", "education_num", "gain", "loss", "hours")


def bin_up(values: Floats, bins: int) -> NDArray[np.int64]:
    """Bin into equal widths, numbered from 1, each with its upper edge."""
    low, high = values.min(), values.max()
    edges: NDArray[np.int64] = np.maximum(np.ceil((values - low) / (high - low) * bins), 1).astype(
        np.int64
    )
    return edges


def recode(values: pl.Series) -> NDArray[np.int64]:
    """Number texts in the order of first appearance, from 1."""
    order = {value: i + 1 for i, value in enumerate(values.unique(maintain_order=True))}
    return np.array([order[value] for value in values], np.int64)


def load_salaries() -> tuple[pl.DataFrame, Floats]:
    """Return attributes and squared residuals of least squares without intercept on the codes."""
    table = pl.read_csv(TABULAR / "Salaries.csv")
    codes = pl.DataFrame(
        {
            "rank": recode(table["rank"]),
            "discipline": recode(table["discipline"]),
            "since_phd": bin_up(table["yrs.since.phd"].to_numpy().astype(float), 14),
            "service": bin_up(table["yrs.service"].to_numpy().astype(float), 12),
            "sex": recode(table["sex"]),
        }
    )
    x, y = codes.to_numpy().astype(float), table["salary"].to_numpy().astype(float)
    weights, *_ = np.linalg.lstsq(x, y, rcond=None)
    return codes, (y - x @ weights) ** 2


def load_adult() -> tuple[pl.DataFrame, Floats]:
    """Return attributes and 0/1 errors of a logistic regression on their one-hot columns."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    table = pl.read_csv(TABULAR / "adult.data", has_header=False, new_columns=list(_ADULT))
    table = table.drop_nulls().with_columns(pl.col(pl.String).str.strip_chars())
    columns = {}
    for name in _ADULT[1:-1]:
        values = table[name]
        number = name in _ADULT_NUMBERS
        columns[name] = bin_up(values.to_numpy().astype(float), 10) if number else recode(values)
    codes = pl.DataFrame(columns)
    one_hot = OneHotEncoder().fit_transform(codes.to_numpy())
    income = (table["income"] == ">50K").to_numpy()
    model = LogisticRegression(C=1e4, max_iter=3000).fit(one_hot, income)
    return codes, (model.predict(one_hot) != income).astype(float)
