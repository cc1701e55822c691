"""`weakspot convert` writes a dataset in another format, or says why it cannot."""

from pathlib import Path

import pytest

from flows.commands.app import main
from pipeline.config.dataset import Dataset
from pipeline.samples.read import read_samples
from tests.samples.datasets import annotation, coco, write_images, write_json
from tests.samples.voc_folder import voc_file, voc_object, write_voc_folder


def write_audit(folder: Path, dataset: str) -> Path:
    """Write two images, their truth, and an audit of them."""
    write_images(folder / "images", ["a.png", "b.png"])
    write_json(
        folder / "truth.json",
        coco({1: "a.png", 2: "b.png"}, [annotation(1, 1, (2, 3, 20, 15)), annotation(2, 2, ())]),
    )
    (folder / "errors.csv").write_text("path,error\na.png,1\n")
    file = folder / "audit.toml"
    file.write_text(
        f'name = "a"\n[dataset]\nimages = "images"\n{dataset}\n'
        '[attributes]\ngiven = ["category"]\n'
        '[[systems]]\nname = "s"\nformat = "table"\npredictions = "errors.csv"\nerror = "column"\n'
    )
    return file


def run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as done:
        return int(done.code or 0)
    return 0


@pytest.mark.parametrize("form", ["coco", "yolo", "voc"])
def test_a_converted_dataset_reads_as_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    audit = write_audit(tmp_path, 'format = "coco"\nannotations = "truth.json"')
    out = tmp_path / "out"
    assert run("convert", audit, out, "--format", form) == 0
    told = capsys.readouterr().out
    assert f"wrote 1 objects of 2 images to {out}" in told
    assert "rejected: b.png: truth.json annotations[1]: bbox is []" in told
    places = {
        "coco": {"images": str(tmp_path / "images"), "annotations": str(out)},
        "yolo": {"annotations": str(out / "data.yaml")},
        "voc": {"images": str(tmp_path / "images"), "annotations": str(out / "Annotations")},
    }
    found = read_samples(Dataset.model_validate({"format": form, **places[form]}))
    box = found.objects.select("category", "x", "y", "w", "h").row(0)
    assert box == ("person", *(pytest.approx(side, abs=1e-6) for side in (2, 3, 20, 15)))
    assert found.samples.height == 2


def test_what_cannot_be_converted_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = write_audit(tmp_path, 'format = "folder"')
    assert run("convert", audit, tmp_path / "out", "--format", "coco") == 2
    assert "has no boxes to convert" in capsys.readouterr().err
    audit = write_audit(tmp_path, 'format = "coco"\nannotations = "truth.json"')
    assert run("convert", audit, tmp_path / "truth.json", "--format", "coco") == 2
    assert "exists already" in capsys.readouterr().err
    assert run("convert", audit, tmp_path / "images", "--format", "voc") == 2
    assert run("convert", audit, tmp_path / "none" / "x.json", "--format", "coco") == 2
    assert "make it first" in capsys.readouterr().err


def test_a_dataset_alone_is_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who wants another format has no attributes or systems yet."""
    audit = write_audit(tmp_path, 'format = "coco"\nannotations = "truth.json"')
    text = audit.read_text()
    audit.write_text(text[text.index("[dataset]") : text.index("[attributes]")])
    assert run("convert", audit, tmp_path / "out.json", "--format", "coco") == 0
    assert "wrote 1 objects of 2 images" in capsys.readouterr().out
    audit.write_text(audit.read_text().replace("annotations", "anotations"))
    assert run("convert", audit, tmp_path / "more.json", "--format", "coco") == 2
    assert "unknown key 'dataset.anotations'; did you mean 'annotations'" in capsys.readouterr().err
    audit.write_text('name = "a"\n')
    assert run("convert", audit, tmp_path / "more.json", "--format", "coco") == 2
    assert "key 'dataset' is missing" in capsys.readouterr().err


def test_what_is_odd_in_the_files_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_voc_folder(tmp_path, {"a": voc_file(voc_object(box=(0, 0, 9, 9)))})
    audit = tmp_path / "audit.toml"
    audit.write_text(
        '[dataset]\nformat = "voc"\nimages = "JPEGImages"\nannotations = "Annotations"\n'
    )
    assert run("convert", audit, tmp_path / "out.json", "--format", "coco") == 0
    assert "note: Pascal VOC: 1 annotation files have corners at 0" in capsys.readouterr().out


def test_detections_can_be_converted(tmp_path: Path) -> None:
    found = [{"image_id": "a.png", "category_id": 1, "bbox": [2, 3, 20, 15], "score": 0.5}]
    write_json(tmp_path / "found.json", found)
    audit = write_audit(
        tmp_path, 'format = "folder"\nrename = {1 = "face"}\nboxes = {detections = "found.json"}'
    )
    assert run("convert", audit, tmp_path / "out.json", "--format", "coco") == 0
    asked = {"images": str(tmp_path / "images"), "annotations": str(tmp_path / "out.json")}
    again = read_samples(Dataset.model_validate({"format": "coco", **asked}))
    assert again.objects["category"].to_list() == ["face"]
