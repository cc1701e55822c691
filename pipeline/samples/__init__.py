"""A dataset of any format as the `samples` table: `read_samples` and what it returns."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.samples.read import read_samples
    from pipeline.samples.sample_set import CATEGORIES, SampleSet

__all__ = ["CATEGORIES", "SampleSet", "read_samples"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, which keeps the package light."""
    if name == "read_samples":
        from pipeline.samples.read import read_samples

        return read_samples
    if name in ("CATEGORIES", "SampleSet"):
        from pipeline.samples import sample_set

        return getattr(sample_set, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
