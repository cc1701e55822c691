"""What the schema of a table is, and columns of several tables."""

from collections.abc import Mapping

import polars as pl

Schema = Mapping[str, pl.DataType]

PREDICATES = pl.List(pl.Struct({"attribute": pl.String(), "value": pl.String()}))
