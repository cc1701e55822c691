"""Which windows are cut from an image: several sizes and shapes, moved in steps."""

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.config.section import Section

MAX_WINDOWS = 4096  # of one image; more are a mistake in a scale or in the stride

_Scale = Annotated[float, Field(gt=0, le=1)]
_Aspect = Annotated[float, Field(ge=0.1, le=10)]


class WindowRule(Section):
    """The windows of an image, whatever its size."""

    # The longer side of a window, as a share of the shorter side of the image.
    scales: tuple[_Scale, ...] = (0.3, 0.45, 0.65, 0.9)
    aspects: tuple[_Aspect, ...] = (0.5, 1.0)  # width by height
    stride: float = Field(default=0.33, gt=0, le=1)  # a step, as a share of the window's side

    @field_validator("scales", "aspects")
    @classmethod
    def _some(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        """Sort them, each once; none is an error."""
        if not values:
            raise ValueError("name at least one")
        return tuple(sorted(set(values)))
