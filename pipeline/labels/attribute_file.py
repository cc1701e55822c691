"""Attribute files: one dimension of the operational design domain each, as frozen models."""

import hashlib
import importlib.resources
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import (
    Location,
    TomlFile,
    describe_faults,
    list_options,
    nearest,
    read_toml,
)
from pipeline.labels.attribute_faults import Fault
from pipeline.labels.attribute_kinds import KINDS, find_advice, find_errors

_PROBES = "probes"  # a folder of probe files, which label nothing
DEFAULT_PRECISION = 0.95  # wanted of min_margin = "auto"


def _write_numbers(cells: Any) -> Any:  # noqa: ANN401 - raw TOML
    """Let cells of a given attribute be written as numbers: yes = [1]."""
    if isinstance(cells, list | tuple):
        return [str(cell) if isinstance(cell, int | float) else cell for cell in cells]
    return cells


class Attribute(BaseModel):
    """One attribute: its values and how a sample gets one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    kind: str  # a name in KINDS
    # Which samples of an object audit it labels: the objects, or the images that hold them.
    applies_to: Literal["image", "object"] = "object"
    sensitive: bool = False  # perceived traits of people; the report says what they are not
    ordered: bool | None = None  # runs of adjacent values are searched; None: of a measured one
    # prompts
    ensemble: Literal["mean", "probability", "max", "naive"] = "mean"
    # Between the two best probabilities; "auto": the least that gives labels the `precision`.
    min_margin: float | Literal["auto"] = 0.02
    precision: float | None = Field(default=None, gt=0, lt=1)  # of min_margin = "auto"; 0.95
    templates: tuple[str, ...] = ("a photo of {}.",)
    values: dict[str, Annotated[tuple[str, ...], BeforeValidator(_write_numbers)]] = {}
    # measured
    measure: str | None = None
    edges: tuple[float, ...] | None = None
    quantiles: int | None = Field(default=None, ge=2, le=100)
    names: tuple[str, ...] | None = None  # of the bins, lowest first
    # given
    column: str | None = None
    _reference: str = PrivateAttr(default="")

    @property
    def reference(self) -> str:
        """Where it was read from, as the audit names it; no part of what it means."""
        return self._reference

    @property
    def is_ordered(self) -> bool:
        """Whether the search takes runs of adjacent values, in the order of the file or bins."""
        return self.kind == "measured" if self.ordered is None else self.ordered

    @property
    def stated_margin(self) -> float:
        """The margin as stated; 0, which leaves no label out, where it is to be chosen."""
        return 0.0 if self.min_margin == "auto" else self.min_margin

    @property
    def wanted_precision(self) -> float | None:
        """The precision that labels of each value shall have; None where no margin is chosen."""
        return (self.precision or DEFAULT_PRECISION) if self.min_margin == "auto" else None

    @property
    def given_column(self) -> str:
        """The column that a given attribute reads."""
        return self.column or self.name

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, name: str) -> str:
        if name not in KINDS:
            raise ValueError(f"Input should be {list_options(KINDS)}")
        return name

    @field_validator("min_margin", mode="plain")
    @classmethod
    def _margin_or_auto(cls, margin: Any) -> Any:  # noqa: ANN401 - raw TOML
        is_number = isinstance(margin, int | float) and not isinstance(margin, bool)
        if margin != "auto" and not (is_number and 0 <= margin < 1):
            raise ValueError('Input should be a number from 0 to below 1, or "auto"')
        return float(margin) if is_number else margin

    @model_validator(mode="after")
    def _usable(self) -> "Attribute":
        faults = find_errors({key: getattr(self, key) for key in self.model_fields_set})
        if faults:
            raise ValueError("; ".join(fault.message for fault in faults))
        return self


def read_attribute(path: Path, *, reference: str | None = None) -> Attribute:
    """Read one attribute file.

    reference: how the audit names it; the path when None. Raises ConfigError listing every
    error with its line.
    """
    attribute, problems, _ = _examine(path, reference or str(path))
    if attribute is None:
        raise ConfigError.from_problems(str(path), problems)
    return attribute


def read_attributes(
    use: Iterable[str], *, base: Path, given: Iterable[str] = ()
) -> list[Attribute]:
    """Read the attributes that an audit uses, in its order.

    use: shipped names such as "person/hat", or paths of .toml files relative to `base`.
    given: columns of the dataset whose cells are the values.
    Raises ConfigError listing every problem of every file, and names that are used twice.
    """
    found: list[Attribute] = []
    problems: list[str] = []
    for reference in use:
        try:
            found.append(read_attribute(_find_file(reference, base), reference=reference))
        except ConfigError as error:
            problems.append(str(error).replace("\n", "\n  "))
    found += [make_given(column) for column in given]
    first: dict[str, str] = {}
    for attribute in found:
        if attribute.name in first:
            users = f"{first[attribute.name]} and {attribute.reference}"
            message = f"attribute name {attribute.name!r} is used twice, by {users}"
            problems.append(f"{message}; rename or remove one")
        first.setdefault(attribute.name, attribute.reference)
    if problems:
        raise ConfigError.from_problems("[attributes]", problems)
    return found


def make_given(column: str) -> Attribute:
    """Return the attribute whose values are the cells of `column`."""
    attribute = Attribute(name=column, kind="given", column=column)
    attribute._reference = f"column {column!r}"
    return attribute


def list_shipped() -> list[str]:
    """Return the names of the attribute files that come with weakspot, sorted."""
    root = _shipped_root()
    files = (file for file in root.glob("*/*.toml") if file.parent.name != _PROBES)
    return sorted(file.relative_to(root).with_suffix("").as_posix() for file in files)


def find_shipped(name: str) -> Path:
    """Return the file of a shipped attribute. Raises ConfigError naming the nearest name."""
    path = _shipped_root() / f"{name}.toml"
    if name not in list_shipped():
        hint = nearest(name, list_shipped())
        raise ConfigError(f"no attribute {name!r} is shipped; {hint}; a path ends in .toml")
    return path


def check_attribute(path: Path) -> list[str]:
    """Return every fault of an attribute file, sorted by line; warnings begin with "warning: ".

    Each reads "line N: what was found, what was expected".
    Raises ConfigError when the file cannot be read as TOML.
    """
    _, problems, advice = _examine(path, str(path))
    return [*problems, *advice]


def hash_attribute(attribute: Attribute) -> str:
    """Return 16 hex digits of what the attribute asks for; comments and layout do not change it.

    The order of values and prompts counts: it decides ties and the naive prompt. What only says how
    labels are shown and searched does not.
    """
    asked = attribute.model_dump(exclude={"sensitive", "ordered"})
    if asked["precision"] is None:  # so that ids of versions without it stay
        del asked["precision"]
    values = list(asked.pop("values").items())
    return _digest([sorted(asked.items()), values])


def make_label_id(attribute: Attribute, *parts: object) -> str:
    """Return the id of the labels made from `attribute` and `parts`.

    parts: what else they were made from: encoder_id, measure_version, resolved edges, the hash
    of a truth file. Floats count to their last bit.
    """
    return _digest([hash_attribute(attribute), *(repr(part) for part in parts)])


def _digest(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shipped_root() -> Path:
    return Path(str(importlib.resources.files("attributes")))


def _find_file(reference: str, base: Path) -> Path:
    if reference.endswith(".toml"):
        return base / Path(reference).expanduser()
    return find_shipped(reference)


def _examine(path: Path, reference: str) -> tuple[Attribute | None, list[str], list[str]]:
    """Return the attribute, or None with all its problems, and what is weak about it."""
    file = read_toml(path)
    attribute, typed, broken = _parse(file, reference)
    faults = [*find_errors(file.data, broken=broken), *find_advice(file.data)]
    located = [(_find_line(file, fault), fault) for fault in faults]
    located.sort(key=lambda pair: math.inf if pair[0] is None else pair[0])
    errors = [_describe(line, fault) for line, fault in located if fault.level == "error"]
    advice = [_describe(line, fault) for line, fault in located if fault.level != "error"]
    return attribute, typed + errors, advice


def _parse(file: TomlFile, reference: str) -> tuple[Attribute | None, list[str], set[Location]]:
    """Return the attribute, or None with the problems of keys and types, and where they are."""
    try:
        attribute = Attribute.model_validate(dict(file.data))
    except ValidationError as error:
        broken = {fault["loc"] for fault in error.errors() if fault["loc"]}
        # A fault without a location is one of find_errors, which lists them with their lines.
        problems = describe_faults(file, Attribute, error) if broken else []
        return None, problems, broken
    attribute._reference = reference
    return attribute, [], set()


def _find_line(file: TomlFile, fault: Fault) -> int | None:
    if fault.text is None:
        return file.line_of(fault.location)
    return file.line_of_text(fault.location, fault.text, nth=fault.nth)


def _describe(line: int | None, fault: Fault) -> str:
    where = f"line {line}: " if line else ""
    return f"{where}{'warning: ' if fault.level == 'warning' else ''}{fault.message}"
