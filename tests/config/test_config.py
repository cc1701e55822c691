"""audit.toml: every fault is reported with its line, and paths are relative to the file."""

from pathlib import Path

import pytest

from pipeline.config.audit import Audit, read_audit
from pipeline.exceptions import ConfigError

GOOD = """\
name = "faces"
workspace = "work"

[dataset]
format = "coco"
annotations = "faces.json"
images = "images"

[encoder]
model = "local-dir:weights"

[attributes]
use = ["person/hat", "mine/uniform.toml"]

[[systems]]
name = "haar"
format = "coco-detections"
predictions = "haar.json"
error = "miss"
"""


def read(tmp_path: Path, text: str) -> Audit:
    path = tmp_path / "audit.toml"
    path.write_text(text, encoding="utf-8")
    return read_audit(path)


def complaints(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return str(caught.value)


def test_paths_are_relative_to_the_audit_file(tmp_path: Path) -> None:
    audit = read(tmp_path, GOOD)
    assert audit.workspace == tmp_path / "work"
    assert audit.report.folder == tmp_path / "report"
    assert audit.dataset.root == tmp_path / "images"
    assert audit.systems[0].predictions == (tmp_path / "haar.json",)
    assert audit.encoder is not None
    assert audit.encoder.model == f"local-dir:{tmp_path / 'weights'}"
    assert audit.attributes.use == ("person/hat", str(tmp_path / "mine/uniform.toml"))


def test_paths_are_absolute_also_when_the_file_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = read(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)
    assert read_audit(Path("audit.toml")) == absolute


def test_lists_of_folders_share_a_root(tmp_path: Path) -> None:
    text = GOOD.replace('"faces.json"', '["a.json", "b.json"]')
    text = text.replace('images = "images"', 'images = ["all/a", "all/b"]')
    text = text.replace('"haar.json"', '["a.json", "b.json"]')
    assert read(tmp_path, text).dataset.root == tmp_path / "all"


def test_an_unknown_key_names_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    shown = complaints(tmp_path, GOOD.replace("annotations =", "anotations ="))
    assert "line 6: unknown key 'dataset.anotations'; did you mean 'annotations'?" in shown


def test_an_unknown_key_of_the_second_system_names_its_line(tmp_path: Path) -> None:
    second = (
        '[[systems]]\nname = "b"\nformat = "table"\npredictions = "b.csv"\nerror = "e"\niuo = 1\n'
    )
    shown = complaints(tmp_path, GOOD + second)
    assert "line 25: unknown key 'systems.1.iuo'; did you mean 'iou'?" in shown


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('name = "faces"', "nam = 1").replace('error = "miss"', 'error = "mis"')
    shown = complaints(tmp_path, text)
    assert "key 'name' is missing" in shown
    assert "unknown key 'nam'" in shown
    assert "coco-detections knows miss" in shown
    assert shown.startswith(f"{tmp_path / 'audit.toml'}: 3 problems")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('images = "images"', 'images = ["a", "b"]', "lists of equal length"),
        ('model = "local-dir:weights"', 'model = "ViT-B-32"', "pretrained: name the weights"),
        ('name = "haar"', 'name = ""', "at least 1 character"),
        ('format = "coco"\nannotations = "faces.json"', 'format = "table"', "table: name the CSV"),
        ('use = ["person/hat", "mine/uniform.toml"]', "use = []", "name at least one attribute"),
        ('error = "miss"', 'error = "miss"\niou = 0', "greater than 0"),
        ("[dataset]", '[slices]\nlabels = "truth"\n[dataset]', "needs [dataset.truth]"),
        ("[dataset]", "[slices]\nmax_level = 9\n[dataset]", "less than or equal to 4"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert expected in complaints(tmp_path, GOOD.replace(old, new))


def test_bad_syntax_names_the_line(tmp_path: Path) -> None:
    assert "line 3" in complaints(tmp_path, 'name = "x"\n\nworkspace = = 1\n')


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        read_audit(tmp_path / "none.toml")


def test_two_systems_of_one_name_are_refused(tmp_path: Path) -> None:
    second = '[[systems]]\nname = "haar"\nformat = "table"\npredictions = "b.csv"\nerror = "e"\n'
    assert "'haar' is given twice" in complaints(tmp_path, GOOD + second)


TRUTH = '[dataset.truth]\nfile = "truth.csv"\nkey = "file"\n'


def test_truth_takes_one_column_or_one_a_value(tmp_path: Path) -> None:
    text = GOOD + TRUTH + '[dataset.truth.hat]\ncolumn = "Hat"\nyes = [1]\nno = ["-1"]\n'
    text += '[dataset.truth.hair]\nblack = {column = "Black", cells = ["1"]}\n'
    truth = read(tmp_path, text).dataset.truth
    assert truth is not None
    assert truth.attributes["hat"]["yes"].cells == ("1",)
    assert truth.attributes["hair"]["black"].column == "Black"


def test_truth_values_without_a_column_are_refused(tmp_path: Path) -> None:
    shown = complaints(tmp_path, GOOD + TRUTH + '[dataset.truth.hat]\nyes = ["1"]\n')
    assert "expected a list of cells beside a `column`" in shown


def test_an_unknown_key_of_truth_is_refused(tmp_path: Path) -> None:
    shown = complaints(tmp_path, GOOD + TRUTH.replace("key =", "kee ="))
    assert "unknown key 'kee'" in shown
