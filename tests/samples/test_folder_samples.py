"""Folders of images as samples."""

import hashlib
import os
from pathlib import Path

import polars as pl
import pytest

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from pipeline.tables import SAMPLES
from tests.samples.datasets import NO_SHARED, SHARED, write_image, write_images


def folder(path: Path, **more: object) -> Dataset:
    return Dataset.model_validate({"format": "folder", "images": str(path), **more})


def reasons(rejects: pl.DataFrame) -> dict[str, str]:
    return dict(rejects.select("path", "reason").iter_rows())


def test_first_sub_folder_is_the_category_and_paths_are_sorted(tmp_path: Path) -> None:
    write_images(tmp_path, ["dog/b.png", "cat/deep/a.PNG", "top.jpg", "dog/a.jpeg"])
    samples = read_samples(folder(tmp_path)).samples
    assert samples.select("path", "category").rows() == [
        ("cat/deep/a.PNG", "cat"),
        ("dog/a.jpeg", "dog"),
        ("dog/b.png", "dog"),
        ("top.jpg", None),
    ]
    assert samples.schema == pl.Schema(SAMPLES)


def test_ids_are_hashes_of_path_and_bytes(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a" / "x.png", size=(31, 17))
    row = read_samples(folder(tmp_path)).samples.row(0, named=True)
    assert row["sample_id"] == hashlib.sha256(b"a/x.png").hexdigest()[:16]
    assert row["content_key"] == hashlib.sha256(file.read_bytes()).hexdigest()[:32]
    assert (row["width"], row["height"]) == (31, 17)
    assert (row["size"], row["mtime"]) == (file.stat().st_size, file.stat().st_mtime_ns)


def test_hidden_and_other_files_are_counted_and_bad_images_rejected(tmp_path: Path) -> None:
    write_images(tmp_path, ["ok.png", ".hidden.png", ".cache/a.png"])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "text.jpg").write_text("no image either")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    found = read_samples(folder(tmp_path))
    assert found.samples["path"].to_list() == ["ok.png"]
    assert found.counts["hidden"] == 2
    assert found.counts["other_suffix"] == 1
    assert set(reasons(found.rejects)) == {"text.jpg", "empty.png", "pipe.png"}
    assert found.rejects["stage"].unique().to_list() == ["samples"]


def test_links_out_of_the_folder_are_rejected_and_links_within_are_read(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", ["ok.png"])
    (images / "inside.png").symlink_to(images / "ok.png")
    (images / "outside.png").symlink_to(write_image(tmp_path / "secret.png"))
    (images / "ring").symlink_to(images)
    (images / "broken.png").symlink_to(images / "nothing.png")
    found = read_samples(folder(images))
    assert found.samples["path"].to_list() == ["inside.png", "ok.png"]
    assert found.samples["content_key"].n_unique() == 1
    told = reasons(found.rejects)
    assert told.pop("outside.png").startswith("is a link that leads out of the images folder; ")
    assert told.pop("ring").startswith("is a link to a folder, which is not followed; ")
    assert told.pop("broken.png") == "is a link to a file that is not there"
    assert not told


def test_an_images_folder_that_is_itself_a_link_is_read(tmp_path: Path) -> None:
    write_images(tmp_path / "real", ["a.png"])
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_samples(folder(tmp_path / "link")).samples.height == 1


def test_a_name_that_is_no_text_is_rejected_in_escaped_form(tmp_path: Path) -> None:
    write_images(tmp_path, ["ok.png"])
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(odd)).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = read_samples(folder(tmp_path))
    assert reasons(found.rejects) == {
        r"caf\udce9.png": "the file's name is not valid UTF-8; rename it"
    }


def test_several_folders_share_a_root_and_keep_their_categories(tmp_path: Path) -> None:
    write_images(tmp_path / "one", ["cat/a.png"])
    write_images(tmp_path / "two", ["dog/a.png"])
    dataset = Dataset.model_validate(
        {"format": "folder", "images": [str(tmp_path / "one"), str(tmp_path / "two")]}
    )
    assert read_samples(dataset).samples.select("path", "category").rows() == [
        ("one/cat/a.png", "cat"),
        ("two/dog/a.png", "dog"),
    ]


def test_known_files_are_not_hashed_again_and_changed_ones_are(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.png", "b.png"])
    first = read_samples(folder(tmp_path))
    before = (tmp_path / "a.png").stat()
    (tmp_path / "a.png").write_bytes(bytes(before.st_size))  # would be rejected if it were opened
    os.utime(tmp_path / "a.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    again = read_samples(folder(tmp_path), known=first.samples)
    assert again.samples.equals(first.samples)
    assert (again.counts["files_hashed"], again.counts["files_known"]) == (0, 2)
    write_image(tmp_path / "b.png", size=(64, 64))
    changed = read_samples(folder(tmp_path), known=first.samples)
    assert changed.counts["files_hashed"] == 1
    assert changed.samples["width"].to_list() == [32, 64]


def test_limit_takes_the_first_paths_and_threads_do_not_matter(tmp_path: Path) -> None:
    write_images(tmp_path, [f"{number:03}.png" for number in range(300)], size=(2, 2))
    shown: list[int] = []
    every = read_samples(folder(tmp_path), threads=4, progress=shown.append)
    one = read_samples(folder(tmp_path), threads=1)
    assert every.samples.equals(one.samples)
    assert sum(shown) == 300
    limited = read_samples(folder(tmp_path), limit=7)
    assert limited.samples.equals(every.samples.head(7))


def test_category_filter_keeps_its_own_and_names_the_nearest_of_a_wrong_one(tmp_path: Path) -> None:
    write_images(tmp_path, ["cat/a.png", "dog/a.png", "dog/b.png"])
    found = read_samples(folder(tmp_path, categories=["cat"]))
    assert found.samples["path"].to_list() == ["cat/a.png"]
    assert found.counts["other_category"] == 2
    with pytest.raises(DatasetError, match="'dogs' is not there; did you mean 'dog'"):
        read_samples(folder(tmp_path, categories=["dogs", "cat"]))


def test_split_of_the_audit_is_that_of_every_sample(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.png"])
    found = read_samples(folder(tmp_path, split="val"))
    assert found.samples["split"].to_list() == ["val"]
    assert found.columns.columns == ["sample_id", "category", "split"]


def test_a_missing_or_empty_folder_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_samples(folder(tmp_path / "none"))
    (tmp_path / "a.txt").touch()
    with pytest.raises(DatasetError, match="1 files have another suffix"):
        read_samples(folder(tmp_path))


def test_a_folder_of_bad_images_only_is_an_error_that_shows_reasons(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.png").write_text("text")
    with pytest.raises(DatasetError, match=r"(?s)no image can be used.*0\.png.*and 3 more rejects"):
        read_samples(folder(tmp_path))


@pytest.mark.skipif(not (SHARED / "cifar10").is_dir(), reason=NO_SHARED)
def test_cifar10_folder_has_200_images_of_each_class() -> None:
    found = read_samples(folder(SHARED / "cifar10" / "test"))
    assert found.rejects.is_empty()
    sizes = found.samples.group_by("category").len()["len"].to_list()
    assert sizes == [200] * 10
