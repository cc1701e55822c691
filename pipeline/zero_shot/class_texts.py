"""Classes in words: names, descriptions and templates, and the prompts that they make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest

TEMPLATES = ("a photo of a {}.",)  # where neither a file nor an option has any
NAMES_LINE = "names"


@dataclass(frozen=True)
class ClassTexts:
    """What classes are called and how they are described.

    names: by class, in order, one wording or more; a class is what truth calls it. descriptions:
    by the name of a set (raw, definition, ...), then by class. templates: each with {} where a
    name goes; empty where the file has none.
    """

    names: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    templates: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in order."""
        return tuple(self.names)


@dataclass(frozen=True)
class PromptLine:
    """One way to put classes into words: the prompts of each class, repeated ones included."""

    name: str
    classes: tuple[str, ...]
    prompts: tuple[tuple[str, ...], ...]


def fill_template(template: str, name: str) -> str:
    """Return a template with a name in place of each {}."""
    return template.replace("{}", name)


def make_names_line(
    texts: ClassTexts, templates: Sequence[str] = (), *, line: str = NAMES_LINE
) -> PromptLine:
    """Return each class's wordings in every template: those given, else the file's, else ours."""
    used = tuple(templates) or texts.templates or TEMPLATES
    prompts = tuple(
        tuple(fill_template(template, word) for word in words for template in used)
        for words in texts.names.values()
    )
    return PromptLine(line, texts.classes, prompts)


def make_lines(
    texts: ClassTexts, *, templates: Sequence[str] = (), name_is: Sequence[str] = ()
) -> list[PromptLine]:
    """Return the names in templates, each set of descriptions, and "name is DESCRIPTION" of some.

    name_is: the sets of which every description also follows the name of its class.
    Raises ConfigError for a set that is not there, and for classes that a set does not describe.
    """
    lines = [make_names_line(texts, templates)]
    for name, described in texts.descriptions.items():
        absent = [one for one in texts.classes if not described.get(one)]
        if absent:
            raise ConfigError(f"descriptions {name!r}: none for {', '.join(absent)}")
        lines.append(
            PromptLine(name, texts.classes, tuple(described[one] for one in texts.classes))
        )
    for name in name_is:
        if name not in texts.descriptions:
            known = list(texts.descriptions)
            raise ConfigError(f"--name-is {name}: no such descriptions; {nearest(name, known)}")
        prompts = tuple(
            tuple(f"{words[0]} is {text}" for text in texts.descriptions[name][one])
            for one, words in texts.names.items()
        )
        lines.append(PromptLine(f"name is {name}", texts.classes, prompts))
    return lines


def choose_line(lines: Sequence[PromptLine], name: str | None) -> int:
    """Return the place of the line called so, the first without a name; raises ConfigError."""
    known = [line.name for line in lines]
    if name is None:
        return 0
    if name not in known:
        raise ConfigError(f"--line {name}: no such line; {nearest(name, known)}")
    return known.index(name)
