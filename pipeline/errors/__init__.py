"""A system's outputs as the `errors` table: `score_system` and what it returns."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.errors.score import score_system
    from pipeline.errors.scored import Scored

__all__ = ["Scored", "score_system"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, which keeps the package light."""
    if name == "score_system":
        from pipeline.errors.score import score_system

        return score_system
    if name == "Scored":
        from pipeline.errors.scored import Scored

        return Scored
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
