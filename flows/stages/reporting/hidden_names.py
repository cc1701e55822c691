"""A report without names of files, where the audit asks for that."""

import json
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import polars as pl

from reports.models import ReportData

LEFT_OUT = "(left out)"


def hide_files(data: ReportData) -> ReportData:
    """Return a report that names no file of a sample, nor any file or folder of the audit.

    Rejects keep their reasons; paths in the configuration are replaced.
    """
    return replace(
        data,
        rejects=data.rejects.with_columns(pl.lit(LEFT_OUT).alias("path")),
        config=json.dumps(_hide(json.loads(data.config)), indent=1) if data.config else "",
    )


def _hide(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Replace every absolute path in a configuration as the run recorded it."""
    if isinstance(value, dict):
        return {key: _hide(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_hide(one) for one in value]
    if isinstance(value, str) and PurePath(value.removeprefix("local-dir:")).is_absolute():
        return LEFT_OUT
    return value
