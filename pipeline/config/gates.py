"""When an audit fails: limits on gaps and errors, for all systems or for each."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.section import Section
from pipeline.files.toml_file import nearest


def _check_limits(raw: Any) -> Any:  # noqa: ANN401 - raw TOML
    """Take a number above 0, or a table of such by system."""
    limits = raw.values() if isinstance(raw, dict) else [raw]
    for limit in limits:
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
            raise ValueError("expected a number greater than 0, or one for each system: {a = 0.1}")
    return raw


Limits = Annotated[float | dict[str, float] | None, BeforeValidator(_check_limits)]


class Gates(Section):
    """What fails the audit: exit code 3.

    max_gap: the largest excess of a group's error over the rest's. max_error: the largest mean
    error over all samples. Both are in units of the error: one number for all systems, or a table
    with a number for each system that is judged.
    """

    max_gap: Limits = None
    max_error: Limits = None
    # Of `weakspot bias`: the largest shown difference between groups in the share of images that
    # lie nearer to the first word of a pair than to the second.
    max_probe_shift: float | None = Field(default=None, gt=0, le=1)
    min_group: int = Field(default=50, ge=2)  # samples; smaller groups are not compared
    attributes: tuple[str, ...] = ()  # names; those of [fairness] when empty
    # Groups by labels of a model that nothing was compared with: "judge" takes the labels as right.
    unchecked_labels: Literal["refuse", "judge"] = "refuse"

    @model_validator(mode="after")
    def _judges_something(self) -> "Gates":
        if self.max_gap is None and self.max_error is None and self.max_probe_shift is None:
            raise ValueError("give max_gap, max_error or max_probe_shift")
        return self

    def gap_of(self, system: str) -> float | None:
        """Return the largest gap that a system may have, None where it is not judged by gaps."""
        return self.max_gap.get(system) if isinstance(self.max_gap, dict) else self.max_gap

    def error_of(self, system: str) -> float | None:
        """Return the largest mean error that a system may have, None where it is not judged."""
        return self.max_error.get(system) if isinstance(self.max_error, dict) else self.max_error


def check_limit_systems(gates: Gates, units: Mapping[str, str]) -> None:
    """Raise ValueError for limits of systems that are none, and for one limit of several units.

    units: of the error of each system, by its name.
    """
    names = list(units)
    for key, limits in (("max_gap", gates.max_gap), ("max_error", gates.max_error)):
        if isinstance(limits, dict):
            for name in sorted(set(limits) - set(names)):
                raise ValueError(
                    f"gates.{key}: no system is called {name!r}; {nearest(name, names)}"
                )
        elif limits is not None and len(set(units.values())) > 1:
            listed = ", ".join(f"{name} in {unit}" for name, unit in units.items())
            table = ", ".join(f"{_write_key(name)} = {limits:g}" for name in names)
            raise ValueError(
                f"gates.{key}: one limit for errors in different units ({listed}); give one for "
                f"each system, e.g. {key} = {{{table}}}"
            )


def _write_key(name: str) -> str:
    """Write a name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
