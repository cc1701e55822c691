"""Every kind of attribute has its keys and checks, and an unknown one is refused by name."""

from pathlib import Path

import pytest

from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import list_options
from pipeline.labels.attribute_file import Attribute, read_attribute
from pipeline.labels.attribute_kinds import KINDS, find_advice, find_errors


def test_the_keys_of_every_kind_are_fields_of_an_attribute() -> None:
    for kind in KINDS.values():
        assert set(kind.keys) <= set(Attribute.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_another_kind_is_an_error(kind: str) -> None:
    foreign = {key for other in KINDS.values() for key in other.keys} - set(KINDS[kind].keys)
    for key in foreign:
        faults = find_errors({"name": "x", "kind": kind, key: "something"})
        assert (key,) in [fault.location for fault in faults]


def test_an_unknown_kind_has_no_faults_of_its_own_but_is_refused(tmp_path: Path) -> None:
    assert find_errors({"kind": "guessed"}) == find_advice({"kind": "guessed"}) == []
    file = tmp_path / "a.toml"
    file.write_text('name = "a"\nkind = "guessed"\n')
    expected = rf"line 2: kind: Input should be {list_options(KINDS)} \(found 'guessed'\)"
    with pytest.raises(ConfigError, match=expected):
        read_attribute(file)
