"""A system's outputs as the `errors` table: `score_system` and what it returns."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.errors.score import score_system
    from pipeline.errors.scored import Scored
    from pipeline.errors.sweep import sweep_threshold

__all__ = ["Scored", "score_system", "sweep_threshold"]

_HOMES = {"Scored": "scored", "score_system": "score", "sweep_threshold": "sweep"}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, which keeps the package light."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
