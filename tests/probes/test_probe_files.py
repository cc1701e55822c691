from pathlib import Path

import pytest

from pipeline.exceptions import ConfigError
from pipeline.labels.attribute_file import list_shipped
from pipeline.probes.probe_file import list_shipped_probes, read_neutral_nouns, read_probes


def test_shipped_probes_are_read_and_insults_only_on_request() -> None:
    names = [file.name for file in read_probes([])]
    assert names == ["crime", "occupations", "traits"]
    assert "dehumanizing" in [file.name for file in read_probes([], show_insults=True)]
    with pytest.raises(ConfigError, match="--show-slurs"):
        read_probes(["dehumanizing"])


def test_every_shipped_pair_has_synonyms_that_no_other_side_has() -> None:
    for file in read_probes([], show_insults=True):
        for pair in file.pairs:
            assert min(len(pair.first), len(pair.second)) >= 2
            assert not set(pair.first) & set(pair.second)


def test_four_hundred_neutral_nouns_share_no_word_with_a_probe() -> None:
    nouns = read_neutral_nouns()
    assert len(nouns) == 400
    words = {word for file in read_probes([], show_insults=True) for word in file.words}
    assert not words & set(nouns)


def test_probe_files_are_no_attributes() -> None:
    assert list_shipped_probes()
    assert not [name for name in list_shipped() if name.startswith("probes/")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\ntemplates = ["{}"]\n', "pairs"),
        ('name = "x"\ntemplates = ["a"]\n[[pairs]]\nfirst = ["a"]\nsecond = ["b"]\n', "{}"),
        ('name = "x"\ntemplates = ["{}"]\n[[pairs]]\nfirst = []\nsecond = ["b"]\n', "first"),
    ],
)
def test_a_faulty_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_probes([str(path)])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="probes/traits"):
        read_probes(["trait"])
