"""Attribute files: every fault is reported with its line; only what matters changes the hash."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.exceptions import ConfigError
from pipeline.labels.attribute_file import (
    Attribute,
    check_attribute,
    hash_attribute,
    make_given,
    make_label_id,
    read_attribute,
    read_attributes,
)

HAT = """\
# Caps count.
name = "hat"
kind = "prompts"
templates = ["a photo of {}."]

[values]
yes = ["a hat", "a cap", "a beanie", "a helmet"]
no = ["bare hair", "a bare head", "open hair", "visible hair"]
"""
SIZE = 'name = "size"\nkind = "measured"\nmeasure = "box_height"\n'


def write(folder: Path, text: str, name: str = "made.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read_as_written(tmp_path: Path) -> None:
    path = write(tmp_path, HAT)
    attribute = read_attribute(path)
    assert check_attribute(path) == []
    assert attribute.values["yes"] == ("a hat", "a cap", "a beanie", "a helmet")
    assert list(attribute.values) == ["yes", "no"]
    assert (attribute.applies_to, attribute.ensemble) == ("object", "mean")
    assert attribute.reference == str(path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"a cap"', '"a head with no hair"', "line 7: 'a head with no hair' says 'no'"),
        ('"a cap"', '"hair isn\'t there"', 'line 7: "hair isn\'t there" says "n\'t"'),
        ('"a cap"', '"WITHOUT hair"', "line 7: 'WITHOUT hair' says 'WITHOUT'"),
        ('"a photo of {}."', '"not {}"', "line 4: 'not {}' says 'not'"),
        ('"a cap"', '"a hat"', "line 7: 'a hat' is repeated and counts twice"),
        ('"a cap"', '"A  hat."', "line 7: 'A  hat.' is repeated and counts twice"),
        ('"open hair"', '"a cap"', "line 8: prompt 'a cap' is in both 'yes' and 'no'"),
        ('"a photo of {}."', '"a photo"', "line 4: template 'a photo' needs {} once"),
        ('"a photo of {}."', '"{} and {}"', "line 4: template '{} and {}' needs {} once"),
        ('["a photo of {}."]', "[]", "line 4: expected at least one template"),
        ("no = [", "unknown = [", "line 8: the value 'unknown' is given to samples that fit no"),
        ('"a cap", "a beanie", ', "", "line 7: warning: value 'yes' has 2 wordings, expected 4"),
        ('name = "hat"', "", "key 'name' is missing"),
        ('kind = "prompts"', 'kind = "prompt"', "line 3: kind: Input should be 'prompts', "),
        ('kind = "prompts"', 'kind = "prompts"\nmin_margins = 0.1', "did you mean 'min_margin'?"),
        ('kind = "prompts"', 'kind = "prompts"\nmin_margin = 1.5', "line 4: min_margin: Input"),
        ('kind = "prompts"', 'kind = "prompts"\nmin_margin = true', "line 4: min_margin: Input"),
        ('kind = "prompts"', 'kind = "prompts"\nmin_margin = "Auto"', 'or "auto" (found'),
        ('kind = "prompts"', 'kind = "prompts"\nprecision = 0.9', "line 4: precision is only read"),
        ('kind = "prompts"', 'kind = "prompts"\nprecision = 1', "line 4: precision: Input"),
        ('kind = "prompts"', 'kind = "prompts"\nquantiles = 4', "line 4: 'quantiles' is not read"),
        ('"a cap"', '" "', "line 7: value 'yes' holds an empty string"),
        ('yes = ["a hat", "a cap", "a beanie", "a helmet"]\n', "", "line 6: expected two values"),
        ('["a hat", "a cap", "a beanie", "a helmet"]', "[]", "line 7: value 'yes' is empty"),
        ('["a hat", "a cap", "a beanie", "a helmet"]', '"a hat"', "line 7: values.yes: Input"),
    ],
)
def test_each_fault_of_prompts_is_reported_with_its_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in HAT
    problems = check_attribute(write(tmp_path, HAT.replace(old, new, 1)))
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("edges = [32, 32]", "line 4: edges are not increasing: [32.0, 32.0]"),
        ("edges = [64, 32]", "line 4: edges are not increasing"),
        ("edges = [32, nan]", "line 4: edges are not increasing"),
        ("edges = [nan]", "line 4: edges [nan] make a single bin"),
        ("edges = [0, inf]", "line 4: edges [0, inf] make a single bin"),
        ("edges = []", "line 4: edges [] make a single bin"),
        ("", "line 2: expected either edges or quantiles, found neither"),
        ("edges = [1]\nquantiles = 2", "line 5: expected either edges or quantiles, found both"),
        ("quantiles = 1", "line 4: quantiles: Input should be greater than or equal to 2"),
        ("edges = [8]\nnames = ['a', 'b', 'c']", "line 5: 3 names for 2 bins"),
        ("edges = [8]\nnames = ['a', 'a']", "line 5: names are repeated"),
        ("edges = [8]\nnames = ['a', 'unknown']", "line 5: the name 'unknown' is for samples"),
        ("edges = [8]\ntemplates = ['{}']", "line 5: 'templates' is not read when kind"),
    ],
)
def test_each_fault_of_bins_is_reported_with_its_line(
    tmp_path: Path, keys: str, expected: str
) -> None:
    problems = check_attribute(write(tmp_path, SIZE + keys))
    assert any(expected.replace(".0", "") in p.replace(".0", "") for p in problems), problems


def test_a_measure_of_boxes_cannot_apply_to_images(tmp_path: Path) -> None:
    path = tmp_path / "cut.toml"
    text = 'name = "cut"\nkind = "measured"\nmeasure = "box_truncated"\nedges = [0, 0.5, inf]\n'
    path.write_text(text)
    assert check_attribute(path) == []
    path.write_text(text + 'applies_to = "image"\n')
    shown = "line 5: measure 'box_truncated' is of an object's box, and an image has none"
    [problem] = check_attribute(path)
    assert problem.startswith(shown)


def test_an_unknown_measure_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, SIZE.replace("box_height", "box_hight") + "quantiles = 4\n")
    assert check_attribute(path) == [
        "line 3: unknown measure 'box_hight'; did you mean 'box_height'?"
    ]


def test_all_errors_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    text = HAT.replace("a photo of {}.", "a photo").replace("no = [", "unknown = [")
    path = write(tmp_path, text + "typo = 1\n")
    with pytest.raises(ConfigError) as caught:
        read_attribute(path)
    shown = str(caught.value)
    assert all(part in shown for part in ("line 4:", "line 8:", "line 9:", str(path)))


def test_weak_wording_fails_the_check_but_not_the_audit(tmp_path: Path) -> None:
    path = write(tmp_path, HAT.replace("a cap", "no hair"))
    assert len(check_attribute(path)) == 1
    assert read_attribute(path).name == "hat"


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00", b"\x00"])
def test_a_file_that_is_no_toml_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        read_attribute(path)


def test_cells_of_a_given_attribute_may_be_numbers(tmp_path: Path) -> None:
    text = 'name = "hat"\nkind = "given"\ncolumn = "Hat"\n[values]\nyes = [1]\nno = [0, "-1"]\n'
    assert read_attribute(write(tmp_path, text)).values == {"yes": ("1",), "no": ("0", "-1")}


def test_attributes_keep_the_order_of_the_audit(tmp_path: Path) -> None:
    write(tmp_path, HAT, "own.toml")
    found = read_attributes(
        ["person/age", "own.toml", "image/sharpness"], base=tmp_path, given=["category"]
    )
    assert [a.name for a in found] == ["age", "hat", "sharpness", "category"]
    assert [a.reference for a in found][:3] == ["person/age", "own.toml", "image/sharpness"]


def test_the_same_name_twice_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, HAT, "own.toml")
    for use, given_columns in (
        (["person/hat", "own.toml"], []),
        (["person/hat", "person/hat"], []),
        (["person/hat"], ["hat"]),
    ):
        with pytest.raises(ConfigError, match="attribute name 'hat' is used twice"):
            read_attributes(use, base=tmp_path, given=given_columns)


def test_problems_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, HAT.replace("a photo of {}.", "photo"), "own.toml")
    with pytest.raises(ConfigError) as caught:
        read_attributes(["person/hatt", "own.toml", "gone.toml"], base=tmp_path)
    shown = str(caught.value)
    assert "did you mean 'person/hat'?" in shown
    assert "line 4: template 'photo' needs {} once" in shown
    assert "gone.toml: there is no such file" in shown


def test_an_attribute_made_in_code_is_checked_too() -> None:
    with pytest.raises(ValueError, match="edges are not increasing"):
        Attribute(name="size", kind="measured", measure="height", edges=(2.0, 1.0))


def test_comments_layout_and_sensitive_do_not_change_the_hash(tmp_path: Path) -> None:
    first = read_attribute(write(tmp_path, HAT))
    text = "# other\n" + HAT.replace(", ", ",\n  ") + "# end\n"
    second = read_attribute(write(tmp_path, text, "other.toml"))
    assert hash_attribute(first) == hash_attribute(second)
    assert hash_attribute(first) == hash_attribute(first.model_copy(update={"sensitive": True}))


def test_whether_values_are_ordered_is_the_kinds_choice_unless_the_file_says(
    tmp_path: Path,
) -> None:
    hat = read_attribute(write(tmp_path, HAT))
    size = read_attribute(write(tmp_path, SIZE + "quantiles = 4\n", "size.toml"))
    assert (hat.is_ordered, size.is_ordered) == (False, True)
    said = HAT.replace('kind = "prompts"', 'kind = "prompts"\nordered = true')
    assert read_attribute(write(tmp_path, said, "said.toml")).is_ordered
    unordered = SIZE + "quantiles = 4\nordered = false\n"
    assert not read_attribute(write(tmp_path, unordered, "unordered.toml")).is_ordered
    assert hash_attribute(read_attribute(write(tmp_path, said))) == hash_attribute(hat)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name = "a"\nkind = "given"\nordered = true\n', "line 3: ordered = true needs [values]"),
        (
            'name = "a"\nkind = "given"\nordered = true\n[values]\n'
            'a = ["1"]\nb = ["2"]\nc = ["3"]\n"a or b" = ["4"]\n',
            "line 3: runs of adjacent values are searched, and the run 'a' to 'b' would be written "
            "'a or b', which is taken; rename that",
        ),
        (
            SIZE + 'edges = [1, 2, 3]\nnames = ["a", "b", "c", "b or c"]\n',
            "line 5: runs of adjacent values are searched, and the run 'b' to 'c'",
        ),
    ],
)
def test_values_that_cannot_have_an_order_are_reported(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert any(problem.startswith(expected) for problem in check_attribute(write(tmp_path, text)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a cap", "a bonnet"),
        ('"a hat", "a cap"', '"a cap", "a hat"'),
        ("a photo", "a picture"),
        ('kind = "prompts"', 'kind = "prompts"\nmin_margin = 0.3'),
        ('kind = "prompts"', 'kind = "prompts"\nensemble = "max"'),
        ('name = "hat"', 'name = "cap"'),
        ("no = [", "bare = ["),
    ],
)
def test_a_changed_meaning_changes_the_hash(tmp_path: Path, old: str, new: str) -> None:
    first = read_attribute(write(tmp_path, HAT))
    second = read_attribute(write(tmp_path, HAT.replace(old, new), "other.toml"))
    assert hash_attribute(first) != hash_attribute(second)


def test_the_hash_is_that_of_versions_without_a_wanted_precision() -> None:
    plain = Attribute(name="a", kind="prompts", values={"x": ("1",), "y": ("2",)})
    assert hash_attribute(plain) == "709dbe48f0af2a25"  # else everything would be labelled again
    auto = plain.model_copy(update={"min_margin": "auto", "precision": 0.9})
    assert hash_attribute(auto) != hash_attribute(auto.model_copy(update={"precision": 0.8}))


def test_the_order_of_values_changes_the_hash() -> None:
    first = Attribute(name="a", kind="prompts", values={"x": ("1",), "y": ("2",)})
    second = Attribute(name="a", kind="prompts", values={"y": ("2",), "x": ("1",)})
    assert hash_attribute(first) != hash_attribute(second)


TOML_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-5, 5),
        st.floats(),
        st.sampled_from(["", "prompts", "measured", "given", "{}", "a {}", "area", "not a hat"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner),
    max_leaves=6,
)


def write_toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {write_toml(item)}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write_toml, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["prompts", "measured", "given"]),
    st.dictionaries(st.sampled_from(sorted(Attribute.model_fields)), TOML_VALUES, max_size=6),
)
def test_any_toml_is_read_or_faulted(tmp_path: Path, kind: str, data: dict[str, object]) -> None:
    whole = {"name": "a", "kind": kind, **data}
    text = "\n".join(f"{key} = {write_toml(value)}" for key, value in whole.items())
    path = write(tmp_path, text)
    problems = check_attribute(path)
    try:
        read_attribute(path)
    except ConfigError:
        assert problems


@given(st.lists(st.text(max_size=3), max_size=3), st.lists(st.text(max_size=3), max_size=3))
def test_label_ids_differ_when_any_part_does(first: list[str], second: list[str]) -> None:
    attribute = make_given("category")
    same = make_label_id(attribute, *first) == make_label_id(attribute, *second)
    assert same == (first == second)
