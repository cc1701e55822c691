"""The attribute files that come with weakspot, and the README that teaches to write one."""

import re
from pathlib import Path

import pytest

import attributes
from pipeline.labels.attribute_file import (
    check_attribute,
    find_shipped,
    list_shipped,
    read_attribute,
)
from pipeline.labels.zero_shot import list_prompts

ROOT = Path(attributes.__file__).parent
PERSON = {
    "age", "bald", "beard", "clothing_color", "eyeglasses", "gender", "goatee", "hair_color", "hat",
    "occlusion", "pose", "skin_tone", "smiling", "worker",
}  # fmt: skip
IMAGE = {"blur", "sharpness", "brightness", "contrast"}
OBJECT = {
    "area", "aspect", "crowding", "height", "position", "relative_area", "truncated", "vehicle",
    "vertical_position",
}  # fmt: skip
SCENE = {
    "crowd", "platform", "rail_worker", "road", "time_of_day", "track", "train", "weather",
}  # fmt: skip
CONTENT = {"alcohol", "gore", "smoking", "suggestive", "weapons"}
MOOD = {"emotion", "sentiment"}


def test_the_promised_files_are_shipped() -> None:
    promised = {f"person/{name}" for name in PERSON} | {f"image/{name}" for name in IMAGE}
    promised |= {f"object/{name}" for name in OBJECT} | {f"scene/{name}" for name in SCENE}
    promised |= {f"content/{name}" for name in CONTENT} | {f"mood/{name}" for name in MOOD}
    assert promised <= set(list_shipped())


def test_a_label_of_content_is_a_suspicion_and_says_so() -> None:
    for name in CONTENT:
        path = find_shipped(f"content/{name}")
        assert list(read_attribute(path).values) == ["suspected", "none"]
        assert "no verdict" in path.read_text(encoding="utf-8")
    emotion = read_attribute(find_shipped("mood/emotion"))
    assert len(emotion.values) == 8
    for name in MOOD:
        text = find_shipped(f"mood/{name}").read_text(encoding="utf-8").replace("\n# ", " ")
        assert "says nothing of what the people in it feel" in text


def test_every_shipped_file_is_listed_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = text.split("## What is shipped")[1].split("\n## ")[0]
    assert [name for name in list_shipped() if f"`{name}`" not in listed] == []


@pytest.mark.parametrize("name", list_shipped())
def test_a_shipped_file_has_no_fault_and_no_warning(name: str) -> None:
    path = find_shipped(name)
    assert check_attribute(path) == []
    assert read_attribute(path).name == name.split("/")[1]
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", list_shipped())
def test_people_are_objects_and_scenes_are_images(name: str) -> None:
    folder = name.split("/")[0]
    expected = "object" if folder in ("person", "object") else "image"
    assert read_attribute(find_shipped(name)).applies_to == expected


def test_perceived_traits_are_marked_and_say_what_they_are_not() -> None:
    marked = {name for name in list_shipped() if read_attribute(find_shipped(name)).sensitive}
    assert marked == {"person/gender", "person/age", "person/skin_tone"}
    for name in marked:
        text = find_shipped(name).read_text(encoding="utf-8")
        assert "Perceived appearance" in text
        assert "identifies" in text


@pytest.mark.parametrize("name", list_shipped())
def test_the_plain_prompt_stands_first(name: str) -> None:
    attribute = read_attribute(find_shipped(name))
    for prompts in attribute.values.values():
        assert len(prompts[0]) <= min(len(prompt) for prompt in prompts) + 25
    assert len(set(list_prompts(attribute))) == sum(
        len(prompts) * len(attribute.templates) for prompts in attribute.values.values()
    )


def test_every_toml_example_of_the_readme_has_no_fault(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    files = [block for block in examples if "kind = " in block]
    assert files
    for block in files:
        path = tmp_path / "example.toml"
        path.write_text(block, encoding="utf-8")
        assert check_attribute(path) == []


def test_the_readme_explains_every_key() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    from pipeline.labels.attribute_file import Attribute

    assert [key for key in Attribute.model_fields if f"| `{key}` |" not in text] == []
