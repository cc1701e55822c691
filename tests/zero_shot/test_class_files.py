"""Files of classes: what each form means, that JSON comes back as it was, and what is refused."""

import json
from pathlib import Path

import pytest

from pipeline.exceptions import ConfigError
from pipeline.zero_shot.class_files import (
    JsonForm,
    read_class_file,
    read_templates,
    write_class_json,
)
from pipeline.zero_shot.class_texts import make_lines

CUPL = {"cat": ["A cat purrs.", "Un chat élégant.", "A cat purrs."], "dog": ["A dog barks."]}
CLASSES = """\
templates = ["a photo of {}."]
[names]
cat = ["a cat", "a kitten"]
dog = "a dog"
[descriptions.definition]
cat = "a small animal"
dog = "a loyal animal"
"""


def write(folder: Path, name: str, content: object) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("content", "form", "dataset"),
    [
        (CUPL, "cupl", None),
        ({"pets": CUPL}, "clip-benchmark", "pets"),
        ({"pets": ["cat", "dog"]}, "names", "pets"),
    ],
)
def test_json_of_classes_comes_back_without_loss(
    tmp_path: Path, content: object, form: JsonForm, dataset: str | None
) -> None:
    texts = read_class_file(write(tmp_path, "in.json", content), dataset=dataset)
    line = make_lines(texts)[-1]
    out = write_class_json(texts, line, form=form, dataset=dataset, file=tmp_path / "out.json")
    assert json.loads(out) == content
    assert list(json.loads(out)) == list(content)  # type: ignore[call-overload]  # a dict each


def test_json_of_templates_comes_back_without_loss(tmp_path: Path) -> None:
    content = {"pets": ["a photo of a {c}.", "{c}, a pet called {c}."]}
    file = write(tmp_path, "templates.json", content)
    templates = read_templates(file, dataset="pets")
    assert templates == ["a photo of a {}.", "{}, a pet called {}."]
    texts = read_class_file(write(tmp_path, "c.toml", 'classes = ["cat", "dog"]'))
    both = type(texts)(texts.names, {}, tuple(templates))
    out = write_class_json(both, make_lines(both)[0], form="templates", dataset="pets", file=file)
    assert json.loads(out) == content


def test_toml_gives_a_line_of_names_and_of_every_description(tmp_path: Path) -> None:
    texts = read_class_file(write(tmp_path, "c.toml", CLASSES))
    lines = {line.name: line.prompts for line in make_lines(texts, name_is=["definition"])}
    assert lines == {
        "names": (("a photo of a cat.", "a photo of a kitten."), ("a photo of a dog.",)),
        "definition": (("a small animal",), ("a loyal animal",)),
        "name is definition": (("a cat is a small animal",), ("a dog is a loyal animal",)),
    }


def test_names_are_one_a_line(tmp_path: Path) -> None:
    texts = read_class_file(write(tmp_path, "names.txt", "cat\n\n dog \ncat\n"))
    assert texts.classes == ("cat", "dog")
    assert make_lines(texts)[0].prompts == (("a photo of a cat.",), ("a photo of a dog.",))


def test_the_only_dataset_of_a_file_needs_no_name(tmp_path: Path) -> None:
    assert read_class_file(write(tmp_path, "one.json", {"pets": CUPL})).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("c.txt", "cat\n", "two classes or more, found 1"),
        ("c.json", {"a": CUPL, "b": CUPL}, "name one by --dataset: a, b"),
        ("c.json", {"cat": [1], "dog": ["x"]}, "cat: expected a list of texts"),
        ("c.json", {"a": ["a {c}"], "b": ["the {c}"]}, "several datasets"),
        ("c.json", {"a": ["a {c}"]}, "give it to --templates"),
        ("c.toml", 'klasses = ["a"]', "klasses: no such key"),
        ("c.toml", 'classes = ["a", "b"]\ntemplates = ["photo"]', "'photo' has no {}"),
        ("c.toml", 'kind = "measured"\n[values]\na = []', "has no prompts"),
    ],
)
def test_what_is_no_file_of_classes_is_refused(
    tmp_path: Path, name: str, content: object, reason: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read_class_file(write(tmp_path, name, content))
    assert reason in str(refused.value)


def test_a_class_without_description_is_named(tmp_path: Path) -> None:
    texts = read_class_file(
        write(tmp_path, "c.toml", CLASSES.replace('dog = "a loyal animal"', ""))
    )
    with pytest.raises(ConfigError, match="descriptions 'definition': none for dog"):
        make_lines(texts)


def test_a_form_that_cannot_hold_all_is_refused(tmp_path: Path) -> None:
    texts = read_class_file(write(tmp_path, "c.toml", CLASSES))
    line = make_lines(texts)[0]
    with pytest.raises(ConfigError, match="no wordings of 'cat'"):
        write_class_json(texts, line, form="names", dataset="pets", file=tmp_path)
    with pytest.raises(ConfigError, match="needs --dataset"):
        write_class_json(texts, line, form="clip-benchmark", dataset=None, file=tmp_path)
