"""The generated parts of docs/inputs.md: `python -m tests.inputs_page` (make docs) writes them.

The keys of audit.toml are read from the models in `pipeline/config/`: types, defaults and bounds
from the fields, meanings from the comments beside them.
"""

import ast
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from pipeline.config import audit as config
from pipeline.config.dataset_formats import FORMATS
from pipeline.config.error_metrics import METRICS
from pipeline.config.windows import WindowRule

PAGE = Path(__file__).parents[1] / "docs" / "inputs.md"
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
# The tables of audit.toml: how each is headed, its model, and keys that are tables of their own.
TABLES: Mapping[str, type[BaseModel]] = {
    "The top": config.Audit,
    "[dataset]": config.Dataset,
    "[dataset.boxes]": config.Boxes,
    "[dataset.boxes.windows]": WindowRule,
    "[dataset.crop]": config.CropRule,
    "[dataset.columns]": config.Columns,
    "[dataset.truth]": config.Truth,
    "[encoder]": config.EncoderConfig,
    "[attributes]": config.AttributeUse,
    "[[systems]]": config.System,
    "[slices]": config.SliceSearch,
    "[fairness]": config.FairnessConfig,
    "[gates]": config.Gates,
    "[domain]": config.Domain,
    "[regions]": config.RegionsConfig,
    "[report]": config.ReportConfig,
    "[run]": config.RunConfig,
}
# Keys that a user writes in another way than the model keeps them.
SHOWN: Mapping[tuple[type[BaseModel], str], tuple[str, str]] = {
    (config.Truth, "attributes"): ("[dataset.truth.NAME]", "table")
}
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def fill_page(text: str) -> str:
    """Return the page with its generated parts as they are now."""
    parts = {"keys": write_keys, "formats": write_formats, "metrics": write_metrics}
    return PART.sub(lambda found: found[1] + parts[found[2]]() + found[3], text)


def write_keys() -> str:
    """Return a table of keys for each table of audit.toml."""
    return "".join(
        f"\n### {heading if heading[0] != '[' else f'`{heading}`'}\n\n{_introduce(model)}\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n" + "".join(_list_rows(model))
        for heading, model in TABLES.items()
    )


def list_undescribed() -> list[str]:
    """Return the keys without a comment that says what they mean."""
    return [
        f"{model.__name__}.{name}"
        for model in TABLES.values()
        for name in _list_keys(model)
        if not read_comments(model).get(name)
    ]


def list_models(model: type[BaseModel] = config.Audit) -> set[type[BaseModel]]:
    """Return the models that a model and its fields are made of, those of audit.toml."""
    found = {model}
    for field in model.model_fields.values():
        for inner in _walk_types(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in found:
                found |= list_models(inner)
    return found


def _walk_types(annotation: object) -> Iterator[object]:
    yield annotation
    for inner in typing.get_args(annotation):
        yield from _walk_types(inner)


def _list_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys of a table that are no tables with a heading of their own."""
    own = set(TABLES.values())
    return [
        name
        for name, field in model.model_fields.items()
        if not own & set(_walk_types(field.annotation))
    ]


def _list_rows(model: type[BaseModel]) -> Iterator[str]:
    comments = read_comments(model)
    for name in _list_keys(model):
        field = model.model_fields[name]
        shown, value = SHOWN.get((model, name), (name, _write_type(field)))
        cells = (f"`{shown}`", value, _write_default(field), comments.get(name, ""))
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _introduce(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def read_comments(model: type[BaseModel]) -> dict[str, str]:
    """Return the comment of each field: behind it, or on the lines above it."""
    found: dict[str, str] = {}
    for base in model.__bases__:
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= read_comments(base)
    source = textwrap.dedent(inspect.getsource(model))
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        end = node.end_lineno or node.lineno
        behind = lines[end - 1][node.end_col_offset :].partition("#")[2]
        above: list[str] = []
        for line in reversed(lines[: node.lineno - 1]):
            if not line.strip().startswith("#"):
                break
            above.insert(0, line.strip().removeprefix("#").strip())
        name = node.target.id
        found[name] = behind.strip() or " ".join(above) or _find_clause(model, name)
    return found


def _find_clause(model: type[BaseModel], name: str) -> str:
    """Return what a docstring says of a field: "min_group: the smallest group."."""
    text = " ".join((inspect.getdoc(model) or "").split())
    clause = re.search(rf"\b{name}: (.*?)\.(?: \w+: | [A-Z]|$)", text)
    return clause[1] if clause else ""


def _write_type(field: FieldInfo) -> str:
    bounds = {
        kind: getattr(one, kind)
        for one in field.metadata
        for kind in ("ge", "gt", "le", "lt")
        if getattr(one, kind, None) is not None
    }
    low = [f"from {bounds['ge']:g}"] if "ge" in bounds else []
    low += [f"above {bounds['gt']:g}"] if "gt" in bounds else []
    high = [f"to {bounds['le']:g}"] if "le" in bounds else []
    high += [f"below {bounds['lt']:g}"] if "lt" in bounds else []
    one = _name_type(field.annotation)
    if any(isinstance(part, BeforeValidator) for part in field.metadata) and "list of " in one:
        one = f"{one.removeprefix('list of ').removesuffix('s')}, or {one}"
    return " ".join([one, *low, *high])


def _name_type(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " | ".join(f'`"{value}"`' for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_name_type(one) for one in inner if one is not type(None))
    if origin is typing.Annotated:
        return _name_type(inner[0])
    if origin is tuple:
        return f"list of {_name_type(inner[0])}s"
    if origin is dict:
        return f"table of {_name_type(inner[1])}s"
    return _PLAIN.get(annotation, "table")


def _write_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=False)
    if value is None or value == () or value == {}:
        return ""
    shown = str(value).lower() if isinstance(value, bool) else value
    return f'`"{shown}"`' if isinstance(value, str | Path) else f"`{shown}`"


def write_formats() -> str:
    """Return the table of dataset formats."""
    rows = []
    for one in FORMATS.values():
        table = "required" if one.needs_table else ""
        images = "optional" if one.images_beside_annotations else "required"
        rows.append(f"| `{one.name}` | {table} | {one.annotations or ''} | {images} |")
    return "\n".join(
        ["\n| `format` | `table` | `annotations` | `images` |", "|---|---|---|---|", *rows, "\n"]
    )


def write_metrics() -> str:
    """Return the table of what `error` of a system can be."""
    rows = [
        f"| `{one.name}` | {', '.join(f'`{name}`' for name in one.formats)} "
        f"| {' or '.join(one.samples)} | {one.meaning or ''} |"
        for one in METRICS.values()
    ]
    return "\n".join(
        ["\n| `error` | `format` | of an | meaning |", "|---|---|---|---|", *rows, "\n"]
    )


if __name__ == "__main__":
    PAGE.write_text(fill_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
