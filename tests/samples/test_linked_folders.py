"""Links in datasets: followed where they lead to what the audit or the dataset's files name."""

import re
from pathlib import Path

import pytest

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.files import read_files
from pipeline.samples.paths import FOLLOW, MORE_ROOTS, Links
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import write_image, write_images
from tests.samples.voc_folder import ask_voc, write_voc_folder
from tests.samples.yolo_folder import ask_yolo, write_yolo_folder

LEADS_OUT = "is a link that leads out of the images folder"


def ask_folder(images: Path, **more: object) -> Dataset:
    return Dataset.model_validate({"format": "folder", "images": str(images), **more})


def list_rejects(found: SampleSet) -> dict[str, str]:
    return dict(found.rejects.select("path", "reason").iter_rows())


def test_a_folder_that_is_a_link_counts_by_where_it_leads(tmp_path: Path) -> None:
    root = tmp_path / "images"
    write_image(root / "real" / "a.png")
    write_image(tmp_path / "secret" / "b.png")
    (root / "within").symlink_to(root / "real")
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "real" / "back").symlink_to(tmp_path / "secret")
    paths = ["real/a.png", "within/a.png", "loop/real/a.png", "out/b.png", "out/none.png",
             "real/back/b.png", "real/none.png", "gone/none.png"]  # fmt: skip
    links = Links((str(root.resolve()),))
    found = read_files(paths, root=root, links=links, known=None, threads=1, progress=None)
    assert found.files["path"].to_list() == paths[:3]
    told = dict(found.rejects.select("path", "reason").iter_rows())
    missing = "there is no such file"
    leads_out = f"{LEADS_OUT}; {FOLLOW}"
    assert [told[path] for path in paths[3:]] == [leads_out] * 3 + [missing] * 2


def test_a_linked_folder_is_read_when_the_audit_says_so(tmp_path: Path) -> None:
    """As torchvision's ImageFolder reads a class folder that lies elsewhere."""
    write_image(tmp_path / "images" / "cat" / "a.png")
    write_images(tmp_path / "pool", ["b.png", "c.png"])
    (tmp_path / "images" / "dog").symlink_to(tmp_path / "pool")
    found = read_samples(ask_folder(tmp_path / "images"))
    assert list_rejects(found) == {"dog": f"is a link to a folder, which is not followed; {FOLLOW}"}
    found = read_samples(ask_folder(tmp_path / "images", follow_links=True))
    assert found.samples.select("path", "category").rows() == [
        ("cat/a.png", "cat"), ("dog/b.png", "dog"), ("dog/c.png", "dog"),
    ]  # fmt: skip
    assert found.rejects.is_empty()


def test_links_of_files_into_a_cache_are_followed_when_the_audit_says_so(tmp_path: Path) -> None:
    write_image(tmp_path / "cache" / "ab" / "cdef.png")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").symlink_to(tmp_path / "cache" / "ab" / "cdef.png")
    (tmp_path / "images" / "gone.png").symlink_to(tmp_path / "cache" / "none.png")
    with pytest.raises(DatasetError, match=re.escape(f"{LEADS_OUT}; {FOLLOW}")):
        read_samples(ask_folder(tmp_path / "images"))
    found = read_samples(ask_folder(tmp_path / "images", follow_links=True))
    assert found.samples["path"].to_list() == ["a.png"]
    assert list_rejects(found) == {"gone.png": "is a link to a file that is not there"}


def test_links_lead_into_stated_roots_alone(tmp_path: Path) -> None:
    write_image(tmp_path / "cache" / "a.png")
    write_image(tmp_path / "secret" / "b.png", color=7)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").symlink_to(tmp_path / "cache" / "a.png")
    (tmp_path / "images" / "b.png").symlink_to(tmp_path / "secret" / "b.png")
    (tmp_path / "images" / "c").symlink_to(tmp_path / "secret")
    roots = {"follow_links": True, "link_roots": str(tmp_path / "cache")}
    found = read_samples(ask_folder(tmp_path / "images", **roots))
    assert found.samples["path"].to_list() == ["a.png"]
    reason = f"{LEADS_OUT}; {MORE_ROOTS}"
    assert list_rejects(found) == {"b.png": reason, "c": reason}
    roots["link_roots"] = str(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"(?s)link_roots: .*none: there is no such folder"):
        read_samples(ask_folder(tmp_path / "images", **roots))
    with pytest.raises(ValueError, match="link_roots: used with follow_links = true alone"):
        ask_folder(tmp_path / "images", link_roots=str(tmp_path / "cache"))


def test_a_ring_of_links_ends_and_no_folder_is_read_twice(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a" / "x.png")
    write_image(tmp_path / "pool" / "y.png")
    (tmp_path / "images" / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "images" / "b").symlink_to(tmp_path / "pool")
    (tmp_path / "images" / "c").symlink_to(tmp_path / "pool")
    (tmp_path / "pool" / "back").symlink_to(tmp_path / "images")
    found = read_samples(ask_folder(tmp_path / "images", follow_links=True))
    # "a/up" holds the images folder, and the pool under its own name, which "a/up" reads first.
    assert found.samples["path"].to_list() == ["a/up/pool/y.png", "a/x.png"]
    again = "leads to a folder that is read already"
    assert set(list_rejects(found).values()) == {again}
    assert {"a/up/images", "b", "c", "a/up/pool/back"} == set(list_rejects(found))


def test_an_images_folder_of_several_may_be_a_link(tmp_path: Path) -> None:
    write_image(tmp_path / "data" / "a" / "x.png")
    write_image(tmp_path / "disk" / "y.png")
    (tmp_path / "data" / "b").symlink_to(tmp_path / "disk")
    images = [str(tmp_path / "data" / "a"), str(tmp_path / "data" / "b")]
    found = read_samples(Dataset.model_validate({"format": "folder", "images": images}))
    assert found.samples["path"].to_list() == ["a/x.png", "b/y.png"]


@pytest.mark.parametrize("linked", ["images", "images/train"])
def test_a_yolo_images_folder_may_be_a_link(tmp_path: Path, linked: str) -> None:
    """What data.yaml names is read wherever it lies; labels lie beside the link."""
    file = write_yolo_folder(tmp_path / "data")
    (tmp_path / "data" / linked).rename(tmp_path / "moved")
    (tmp_path / "data" / linked).symlink_to(tmp_path / "moved")
    found = read_samples(ask_yolo(file, sample="object"))
    assert found.objects["annotation_id"].to_list() == ["a:1", "a:2", "b:1"]
    assert found.rejects.is_empty()


def test_a_yolo_list_of_images_behind_a_linked_folder_is_read(tmp_path: Path) -> None:
    file = write_yolo_folder(tmp_path / "data", data="train: t.txt\nnames: [person, dog]")
    (tmp_path / "data" / "t.txt").write_text("./images/train/a.png\n./images/val/c.png\n")
    (tmp_path / "data" / "images").rename(tmp_path / "moved")
    (tmp_path / "data" / "images").symlink_to(tmp_path / "moved")
    found = read_samples(ask_yolo(file))
    assert found.samples["path"].to_list() == ["images/train/a.png", "images/val/c.png"]


def test_yolo_splits_made_of_links_into_a_cache_are_read(tmp_path: Path) -> None:
    """As DVC checks files out with cache.type = symlink: images and label files."""
    file = write_yolo_folder(tmp_path / "data")
    (tmp_path / "cache").mkdir()
    files = [path for path in (tmp_path / "data").rglob("*/*/*") if path.is_file()]
    assert len(files) == 5
    for number, path in enumerate(sorted(files)):
        path.rename(tmp_path / "cache" / f"{number:032x}")
        path.symlink_to(tmp_path / "cache" / f"{number:032x}")
    with pytest.raises(DatasetError, match=re.escape(FOLLOW)):
        read_samples(ask_yolo(file))
    found = read_samples(ask_yolo(file, sample="object", follow_links=True))
    assert found.objects["annotation_id"].to_list() == ["a:1", "a:2", "b:1"]
    assert found.rejects.is_empty()


def test_voc_folders_may_hold_links(tmp_path: Path) -> None:
    folder = write_voc_folder(tmp_path / "data")
    for name in ("JPEGImages", "Annotations"):
        (folder / name).rename(tmp_path / name)
        (folder / name).mkdir()
        (folder / name / "part").symlink_to(tmp_path / name)
    found = read_samples(ask_voc(folder, follow_links=True))
    assert found.samples["path"].to_list() == ["part/a.png", "part/b.png"]
    assert found.rejects.is_empty()
