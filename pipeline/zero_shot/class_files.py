"""Files of classes: one name a line, TOML, and the JSON of CLIP_benchmark and of CuPL.

CLIP_benchmark keeps three forms by the name of a dataset: a list of class names, a list of
templates with {c}, and for each class its prompts. CuPL (Pratt et al., ICCV 2023) keeps for each
class its prompts, without a dataset.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pipeline.exceptions import ConfigError
from pipeline.files.json_file import read_json
from pipeline.files.regular_file import read_regular
from pipeline.files.toml_file import nearest, read_toml
from pipeline.zero_shot.class_texts import ClassTexts, PromptLine

JsonForm = Literal["cupl", "clip-benchmark", "names", "templates"]
CUPL = "prompts"  # the set of descriptions that a JSON file of prompts becomes
_MOST_BYTES = 64 * 2**20


def read_class_file(file: Path, *, dataset: str | None = None) -> ClassTexts:
    """Return the classes of a file.

    file: text with one class a line; TOML with [names] or `classes`, [descriptions.SET] and
    `templates`, or an attribute of prompts, whose values are the classes; JSON of CLIP_benchmark or
    CuPL. dataset: which of CLIP_benchmark's. Raises ConfigError for a file that is none of these,
    and below two classes.
    """
    if dataset is not None and file.suffix.lower() != ".json":
        raise ConfigError(f"--dataset {dataset}: only JSON files have datasets, not {file}")
    if file.suffix.lower() == ".toml":
        texts = _read_toml_classes(file)
    elif file.suffix.lower() == ".json":
        texts = _read_json_classes(file, dataset)
    else:
        texts = ClassTexts({name: (name,) for name in read_lines(file, option="--classes")})
    if len(texts.names) < 2:
        raise ConfigError(
            f"--classes {file}: expected two classes or more, found {len(texts.names)}"
        )
    return texts


def read_templates(file: Path, *, dataset: str | None = None) -> list[str]:
    """Return templates with {}: one a line of a text file, or CLIP_benchmark's JSON with {c}.

    Raises ConfigError for a file without any, and for lines with no place for the name.
    """
    if file.suffix.lower() == ".json":
        content = _choose_dataset(read_json(file, error=ConfigError), dataset, file)
        lines = list(_read_texts(content, where=f"--templates {file}"))
    else:
        lines = read_lines(file, option="--templates")
    templates = [line.replace("{c}", "{}") for line in lines]
    without = [line for line in templates if "{}" not in line]
    if without:
        raise ConfigError.from_problems(
            f"--templates {file}", [f"{line!r} has no {{}} for the name" for line in without]
        )
    return templates


def read_lines(file: Path, *, option: str) -> list[str]:
    """Return the lines of a text file that hold something, each once, stripped.

    Raises ConfigError naming the option where it cannot be read or holds none.
    """
    try:
        text = read_regular(file, most=_MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {file}: cannot be read: {error}") from None
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not lines:
        raise ConfigError(f"{option} {file}: holds no text; write one a line")
    return lines


def write_class_json(
    texts: ClassTexts, line: PromptLine, *, form: JsonForm, dataset: str | None, file: Path
) -> str:
    """Return the JSON of classes in a form that `read_class_file` or `read_templates` reads back.

    `cupl` and `clip-benchmark` hold the prompts of the line; the latter, `names` and `templates`
    need a dataset. file: for messages. Raises ConfigError where the form cannot hold all that is
    there: names of several wordings, or no templates.
    """
    content: Any
    if form in {"cupl", "clip-benchmark"}:
        content = dict(zip(line.classes, map(list, line.prompts), strict=True))
    elif form == "names":
        several = [one for one, words in texts.names.items() if words != (one,)]
        if several:
            raise ConfigError(f"--export {file}: a list of names has no wordings of {several[0]!r}")
        content = list(texts.names)
    else:
        if not texts.templates:
            raise ConfigError(f"--export {file}: there are no templates; name --templates")
        content = [template.replace("{}", "{c}") for template in texts.templates]
    if form != "cupl":
        if dataset is None:
            raise ConfigError(
                f"--export {file}: form {form} needs --dataset, the name it has there"
            )
        content = {dataset: content}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _read_toml_classes(file: Path) -> ClassTexts:
    data = read_toml(file).data
    where = f"--classes {file}"
    known = {"classes", "names", "descriptions", "templates"}
    if "values" in data:  # an attribute
        if data.get("kind") != "prompts":
            raise ConfigError(f"{where}: an attribute of kind {data.get('kind')!r} has no prompts")
        return ClassTexts(
            _read_table(data["values"], where=f"{where}: values"),
            templates=_read_templates_key(data, where),
        )
    if unknown := sorted(set(data) - known):
        raise ConfigError(f"{where}: {unknown[0]}: no such key; {nearest(unknown[0], known)}")
    sets = data.get("descriptions", {})
    if not isinstance(sets, Mapping):
        raise ConfigError(f"{where}: descriptions: expected tables [descriptions.NAME]")
    described = {
        str(name): _read_table(one, where=f"{where}: descriptions.{name}")
        for name, one in sets.items()
    }
    names = _read_table(data.get("names", {}), where=f"{where}: names")
    listed = _read_texts(data.get("classes", []), where=f"{where}: classes")
    order = dict.fromkeys(
        [*listed, *names, *(one for table in described.values() for one in table)]
    )
    return ClassTexts(
        {one: names.get(one, (one,)) for one in order}, described, _read_templates_key(data, where)
    )


def _read_templates_key(data: Mapping[str, Any], where: str) -> tuple[str, ...]:
    templates = _read_texts(data.get("templates", []), where=f"{where}: templates")
    for template in templates:
        if "{}" not in template:
            raise ConfigError(f"{where}: template {template!r} has no {{}} for the name")
    return templates


def _read_json_classes(file: Path, dataset: str | None) -> ClassTexts:
    content = _choose_dataset(read_json(file, error=ConfigError), dataset, file)
    where = f"--classes {file}"
    if isinstance(content, list):
        names = _read_texts(content, where=where)
        if any("{c}" in name for name in names):
            raise ConfigError(f"{where}: holds templates, not classes; give it to --templates")
        return ClassTexts({name: (name,) for name in names})
    prompts = _read_table(content, where=where)
    return ClassTexts({one: (one,) for one in prompts}, {CUPL: prompts})


def _choose_dataset(content: Any, dataset: str | None, file: Path) -> Any:  # noqa: ANN401 - any JSON
    if dataset is not None:
        if not isinstance(content, Mapping) or dataset not in content:
            known = list(content) if isinstance(content, Mapping) else []
            raise ConfigError(f"--dataset {dataset}: not in {file}; {nearest(dataset, known)}")
        return content[dataset]
    if isinstance(content, Mapping) and content:
        values = list(content.values())
        inner = all(isinstance(value, Mapping) for value in values)
        templates = all(
            isinstance(value, list) and any("{c}" in str(text) for text in value)
            for value in values
        )
        if (inner or templates) and len(content) == 1:
            return values[0]
        if inner or templates:
            some = ", ".join(list(content)[:8])
            raise ConfigError(f"{file}: has several datasets; name one by --dataset: {some}")
    return content


def _read_table(raw: object, *, where: str) -> dict[str, tuple[str, ...]]:
    """Return texts by class; one text may stand without its list."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where}: expected a table of classes")
    return {
        str(name): _read_texts(
            [value] if isinstance(value, str) else value, where=f"{where}.{name}"
        )
        for name, value in raw.items()
    }


def _read_texts(raw: object, *, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(text, str) and text.strip() for text in raw):
        raise ConfigError(f"{where}: expected a list of texts, none of them empty")
    return tuple(raw)
