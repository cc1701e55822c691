"""The pictures of the site, and what is blurred in them."""

import io
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from flows.stages.reporting.pictures.album import take_pictures
from flows.stages.reporting.pictures.report_gallery import pick_worst
from pipeline.tables import SAMPLES
from pipeline.workspace.search_table import SearchTable
from reports.site_models import SceneBox

PERSON = {"x": 20.0, "y": 10.0, "w": 40.0, "h": 90.0, "category": "person", "parent_id": "i"}


def make_samples(folder: Path) -> pl.DataFrame:
    """Draw one image of black and white squares; a person is in it, and another image is gone."""
    rows, columns = np.indices((120, 160)) // 4
    Image.fromarray((255 * ((rows + columns) % 2)).astype(np.uint8)).save(folder / "secret.png")
    return pl.DataFrame(
        [
            {"sample_id": "p", "path": "secret.png", **PERSON},
            {"sample_id": "i", "path": "secret.png"},
            {"sample_id": "g", "path": "gone.png"},
        ],
        schema=dict(SAMPLES),
    )


def read_detail(data: bytes, box: tuple[int, int, int, int]) -> float:
    """Return the spread of the gray values in left, top, right, bottom."""
    return float(np.asarray(Image.open(io.BytesIO(data)).convert("L").crop(box)).std())


def test_each_image_is_taken_once_and_names_say_nothing(tmp_path: Path) -> None:
    album = take_pictures(make_samples(tmp_path), tmp_path)
    assert sorted(album.pictures) == ["i", "p"]  # the one that is gone has none
    assert sorted(album.files) == ["00002-1.webp", "00002-2.webp", "00002.webp"]
    person = album.pictures["p"]
    assert person.scene == album.pictures["i"].scene == "00002.webp"
    assert person.size == (160, 120)
    with Image.open(io.BytesIO(album.files[person.thumbnail])) as picture:
        assert picture.size == (68, 114)  # the box with its margin, cut off at the top


def test_faces_and_heads_are_blurred_in_every_picture(tmp_path: Path) -> None:
    samples = make_samples(tmp_path).filter(pl.col("sample_id") != "p")
    other = SceneBox("found", "detection", (100.0, 20.0, 30.0, 90.0), "Person")
    first = SceneBox("true", "truth", (20.0, 10.0, 40.0, 90.0), "person")
    album = take_pictures(
        samples,
        tmp_path,
        boxes={"secret.png": (first, other)},
        find_faces=lambda _: [(70.0, 90.0, 20.0, 20.0)],
    )
    for name in (album.pictures["i"].scene, album.pictures["i"].thumbnail):
        for hidden in ((24, 14, 56, 36), (104, 24, 126, 46), (72, 92, 88, 108)):
            assert read_detail(album.files[name], hidden) < 20, (name, hidden)
        assert read_detail(album.files[name], (24, 60, 56, 100)) > 90, name  # the body


def test_the_one_page_shows_no_pixels_or_names_where_there_shall_be_none(tmp_path: Path) -> None:
    samples = make_samples(tmp_path)
    table = SearchTable(
        attributes=pl.DataFrame({"hat": ["yes"]}),
        errors=pl.Series([1.0]),
        cluster_ids=pl.Series(["i"]),
        sample_ids=pl.Series(["p"]),
        samples_without_labels=0,
    )
    findings = pl.DataFrame({"rank": [1], "predicates": [[{"attribute": "hat", "value": "yes"}]]})
    (shown,) = pick_worst(findings, table, samples, tmp_path, thumbnails="none", named=False)[1]
    assert (shown.image, shown.caption) == (b"", "p")
    (shown,) = pick_worst(findings, table, samples, tmp_path)[1]
    assert shown.image.startswith(b"\xff\xd8\xff")
    assert shown.caption == "secret.png"
