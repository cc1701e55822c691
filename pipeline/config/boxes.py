"""The [dataset.boxes] of audit.toml: detections at hand, or a detector that is run."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from pipeline.config.section import FilePath, Section, resolve_path
from pipeline.config.windows import WindowRule

PATCHES, PATCHES_ONE, ZERO_SHOT = "patches", "patches:one", "zero-shot"
# What a window without an object may show: without such texts every window is some category.
BACKGROUND = (
    "an empty street", "a wall", "the sky", "the ground", "a house", "a tree", "an empty room",
    "a road", "grass", "water", "a blurred background", "nothing in particular",
)  # fmt: skip


def _list_texts(raw: object) -> object:
    return [raw] if isinstance(raw, str) else raw


Texts = Annotated[tuple[str, ...], BeforeValidator(_list_texts)]


class ByWords(Section):
    """What a detector by words looks for, and in which windows."""

    categories: dict[str, Texts] = Field(default={})  # category = one text or a list of them
    background: Texts = BACKGROUND  # of detector "patches": what is none of the categories
    windows: WindowRule = WindowRule()  # of detector "patches"

    @field_validator("categories")
    @classmethod
    def _has_texts(cls, categories: dict[str, Texts]) -> dict[str, Texts]:
        for name, texts in categories.items():
            if not texts or not all(text.strip() for text in texts):
                raise ValueError(f'{name}: expected texts, e.g. {name} = ["a {name}"]')
        return categories

    @field_validator("background")
    @classmethod
    def _has_background(cls, texts: Texts) -> Texts:
        if not texts or not all(text.strip() for text in texts):
            raise ValueError('expected texts such as ["an empty street", "a wall"]')
        return texts


class Boxes(ByWords):
    """Objects of a dataset without true boxes: detections at hand, or a detector that is run."""

    detections: FilePath | None = None  # COCO results; image_id is the path or name of the image
    detector: str | None = None  # a name of docs/detectors.md, e.g. "hog-people"
    min_score: float | None = None  # detections below it are no objects; without it all are

    @property
    def goes_by_words(self) -> bool:
        """Whether the detector finds what texts name."""
        return is_by_words(self.detector or "")

    @field_validator("detector")
    @classmethod
    def _resolve_files(cls, name: str | None, info: ValidationInfo) -> str | None:
        """Make the path in a detector's name absolute: a folder, or a file of weights."""
        parts = (name or "").split(":", 2)
        at = {"transformers": 1, ZERO_SHOT: 1, "torchvision": 2}.get(parts[0], len(parts))
        if at >= len(parts) or not parts[at]:
            return name
        path = resolve_path(Path(":".join(parts[at:])), info)
        return ":".join([*parts[:at], str(path)])

    @model_validator(mode="after")
    def _one_source(self) -> "Boxes":
        if (self.detections is None) == (self.detector is None):
            raise ValueError("give either detections = FILE or detector = NAME")
        return self

    @model_validator(mode="after")
    def _has_words(self) -> "Boxes":
        given = self.model_fields_set & set(ByWords.model_fields)
        if given and not self.goes_by_words:
            source = "detections" if self.detector is None else f"detector {self.detector!r}"
            raise ValueError(f"{min(given)}: not used by {source}; remove it")
        if self.goes_by_words and not self.categories:
            raise ValueError(
                f"detector {self.detector!r} finds what words name; say which, e.g. "
                'categories = {person = ["a person", "a pedestrian"]}'
            )
        return self


def is_by_words(detector: str) -> bool:
    """Return whether a detector of this name finds what texts name."""
    return detector in (PATCHES, PATCHES_ONE) or detector.startswith(f"{ZERO_SHOT}:")
