"""Pascal VOC files and objects that cannot be used: rejected or refused with their reason."""

from pathlib import Path

import pytest

from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from pipeline.samples.voc.annotation_file import VocRefusedError, parse_voc
from tests.samples.voc_folder import (
    FILES,
    ask_voc,
    read_voc,
    voc_file,
    voc_object,
    write_voc_folder,
)

BAD_OBJECTS = [
    ("<object/>", "<name> is missing"),
    ("<object><name>dog</name></object>", "'nothing nothing nothing nothing', expected four"),
    (voc_object(box=(22, 4, 3, 18)), "the box is -18.0 x 15.0 pixels, expected sides above 0"),
    (voc_object(box=(3, 4, 2, 18)), "the box is 0.0 x 15.0 pixels, expected sides above 0"),
    (voc_object(box=("nan", 4, 9, 18)), "<bndbox> is 'nan 4 9 18', expected four finite numbers"),
    (voc_object(box=("inf", 4, 9, 18)), "expected four finite numbers"),
    (voc_object(box=("three", 4, 9, 18)), "<bndbox> is 'three 4 9 18', expected"),
    (voc_object(box=("", 4, 9, 18)), "<bndbox> is 'nothing 4 9 18', expected"),
    (voc_object(box=(1, 1, "9" * 9, 9)), "beyond a million pixels"),
    (voc_object(box=(40, 4, 50, 18)), "the box lies outside the image"),
    (voc_object(more="<difficult>maybe</difficult>"), "<difficult> is 'maybe', expected 0 or 1"),
    (voc_object("x" * 300), "<name> is longer than 200 characters"),
    (voc_object(" "), "<name> is missing"),
]


@pytest.mark.parametrize(("bad", "shown"), BAD_OBJECTS, ids=[shown for _, shown in BAD_OBJECTS])
@pytest.mark.parametrize("sample", ["image", "object"])
def test_a_bad_object_is_rejected_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, bad: str, shown: str, sample: str
) -> None:
    found = read_voc(tmp_path, {"a": voc_file(voc_object(), bad)}, sample=sample)
    assert found.objects["annotation_id"].to_list() == ["a:1"]
    path, reason = found.rejects.select("path", "reason").row(0)
    assert path == "a.png"
    assert shown in reason
    assert "a.xml object 2: " in reason or "annotation a:2: " in reason


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    + "]><annotation><filename>&l9;</filename></annotation>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><annotation>&e;</annotation>'
BAD_FILES = [
    ("", "the file is empty; expected XML"),
    ("   \n", "the file is empty; expected XML"),
    ("<annotation><object>", "is not XML: line 1 column 21: no element found"),
    ("<annotation>\n<a></b></annotation>", "is not XML: line 2 column 6: mismatched tag"),
    ('{"images": []}', "is not XML: line 1 column 1"),
    ("\x00\x01\x02", "is not XML"),
    ("<html/>", "holds <html>, expected <annotation>"),
    (BOMB, "declares a document type or entities, which are refused"),
    (OUTSIDE, "declares a document type or entities, which are refused"),
    ('<?xml version="1.0" encoding="nonsense"?><annotation/>', "is not XML"),
    ("<annotation>&nbsp;</annotation>", "is not XML: line 1 column 13: undefined entity"),
]


@pytest.mark.parametrize(("text", "shown"), BAD_FILES, ids=[shown for _, shown in BAD_FILES])
def test_a_broken_file_is_rejected_and_the_others_are_read(
    tmp_path: Path, text: str, shown: str
) -> None:
    found = read_voc(tmp_path, {"a": text, "b": FILES["b"]})
    assert found.samples["path"].to_list() == ["b.png"]
    path, reason = found.rejects.select("path", "reason").row(0)
    assert path == "a.xml"
    assert shown in reason


@pytest.mark.parametrize("encoding", ["utf-16", "cp037"])
def test_a_document_type_is_refused_in_any_encoding(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    with pytest.raises(VocRefusedError):
        parse_voc((head + BOMB.partition("?>")[2]).encode(encoding))


def test_another_encoding_is_read(tmp_path: Path) -> None:
    folder = write_voc_folder(tmp_path)
    text = '<?xml version="1.0" encoding="utf-16"?>' + voc_file(voc_object("señal"))
    (folder / "Annotations" / "a.xml").write_bytes(text.encode("utf-16"))
    assert "señal" in read_samples(ask_voc(folder)).objects["category"].to_list()


def test_a_file_of_one_endless_line_is_reported(tmp_path: Path) -> None:
    endless = f"<annotation><filename>{'x' * 20_000_000}</filename></annotation>"
    found = read_voc(tmp_path, {"a": endless, "none": endless, "b": FILES["b"]})
    assert sorted(found.samples["path"]) == ["a.png", "b.png"]
    assert found.rejects.height == 1
    assert len(found.rejects["path"].item()) <= 1000


def test_missing_and_repeated_images_are_rejects(tmp_path: Path) -> None:
    files = {
        "a": FILES["a"],
        "again": voc_file(voc_object(), filename="a.png"),
        "none": voc_file(voc_object(), filename="none.png"),
        "up": voc_file(voc_object(), filename="../x.png"),
    }
    found = read_voc(tmp_path, files, sample="object")
    assert dict(found.rejects.select("path", "reason").iter_rows()) == {
        "a.png": "again.xml: the image is also that of a.xml, which counts",
        "none.png": "there is no such file",
        "up.xml": "<filename>: the path leaves the images folder",
    }
    assert found.counts["objects_of_rejected_images"] == 1


def test_folders_without_annotations_are_clear_errors(tmp_path: Path) -> None:
    folder = write_voc_folder(tmp_path, {})
    with pytest.raises(DatasetError, match="there is no such folder of XML files"):
        read_samples(ask_voc(folder))
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "a.json").write_text("{}")
    with pytest.raises(DatasetError, match=r"no \.xml files; 1 files have another suffix"):
        read_samples(ask_voc(folder))
