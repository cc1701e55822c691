"""Text read by the real reader in drawn images; what is kept, rejected, measured and found."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from PIL import Image, ImageDraw, ImageFont

from flows.commands.preview import preview_attribute
from pipeline.embeddings.card import Encoder
from pipeline.exceptions import ConfigError, StoreError
from pipeline.labels import measure_names
from pipeline.labels.attribute_file import find_shipped, read_attribute
from pipeline.tables import TEXTS
from pipeline.texts.measures import TEXT_MEASURES, measure_texts
from pipeline.texts.rapidocr_reader import load_reader
from pipeline.texts.reader import TextReader
from pipeline.texts.text_lines import read_texts, search_texts
from pipeline.workspace.kept.kept_texts import read_stored_texts
from pipeline.workspace.shards import write_shard
from tests.drawn_images import noise
from tests.flows.command import watch_python

pytest.importorskip("rapidocr", reason="rapidocr is not installed")


def draw_text(text: str, *, size: tuple[int, int] = (320, 120)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 30), text, fill="black", font=ImageFont.load_default(28))
    return image


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return load_reader()


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.mark.slow
def test_drawn_text_is_read_where_it_stands(reader: TextReader) -> None:
    (line,) = reader.read(draw_text("Main Street 42"))
    assert line.text == "Main Street 42"
    assert 0.9 < line.score <= 1
    assert 10 < line.x < 30
    assert 20 < line.y < 40
    assert 150 < line.w < 300
    assert 15 < line.h < 50


@pytest.mark.parametrize("color", ["white", "black", "gray"])
def test_a_blank_image_holds_no_text(color: str, reader: TextReader) -> None:
    assert reader.read(Image.new("RGB", (200, 100), color)) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (9, 9), (60, 8)])
def test_an_image_of_any_size_is_taken(size: tuple[int, int], reader: TextReader) -> None:
    assert isinstance(reader.read(noise(size=size)), list)


@pytest.mark.slow
def test_a_block_remembers_blank_images_and_rejects_broken_ones(
    tmp_path: Path, reader: TextReader, pool: ThreadPoolExecutor
) -> None:
    draw_text("STOP").save(tmp_path / "stop.png")
    Image.new("RGB", (50, 50), "white").save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "stop.png").read_bytes()[:300])
    paths = ["stop.png", "blank.png", "broken.png", "gone.png"]
    images = pl.DataFrame({"content_key": ["s", "b", "x", "g"], "path": paths})
    block = read_texts(images, root=tmp_path, reader=reader, pool=pool)
    assert block.rows.select("content_key", "text").rows() == [("b", None), ("s", "STOP")]
    assert block.rejects.select("path", "stage").rows() == [
        ("broken.png", "texts"),
        ("gone.png", "texts"),
    ]
    assert block.broken["content_key"].to_list() == ["x"]
    for part in (block.rows[:1], block.rows[1:], block.rows):
        write_shard(part, tmp_path / "texts")
    assert read_stored_texts(tmp_path / "texts").equals(block.rows)


@pytest.mark.slow
def test_threads_read_what_one_thread_reads(reader: TextReader, pool: ThreadPoolExecutor) -> None:
    images = [draw_text(text) for text in ("one way", "two ways", "EXIT 3", "stop")]
    alone = [reader.read(image) for image in images]
    assert list(pool.map(reader.read, images)) == alone
    assert [[line.text for line in lines] for lines in alone][2:] == [["EXIT 3"], ["stop"]]


@pytest.mark.slow
def test_reading_reaches_no_network_and_prints_nothing(tmp_path: Path) -> None:
    draw_text("STOP").save(tmp_path / "stop.png")
    script = (  # one line, as the watcher notes it
        "from pathlib import Path; from pipeline.images.decode import load_image; "
        "from pipeline.texts.rapidocr_reader import load_reader; "
        "assert load_reader().read(load_image(Path('stop.png')))[0].text == 'STOP'"
    )
    shown, processes = watch_python(["-c", script], folder=tmp_path)
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    assert [process.here | process.elsewhere for process in processes] == [frozenset()]


def make_texts(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(TEXTS), orient="row")


TEXTS_READ = make_texts(
    [
        ("two", "Exit", 0.9, 0.0, 0.0, 10.0, 10.0),
        ("two", "EXIT only", 0.9, 0.0, 50.0, 40.0, 10.0),
        ("lone", "4", 0.9, 0.0, 0.0, 10.0, 10.0),
        ("none", None, None, None, None, None, None),
        ("full", "wall", 0.8, 0.0, 0.0, 200.0, 200.0),
    ]
)
SAMPLES = pl.DataFrame(
    {
        "content_key": ["two", "lone", "none", "full", "two", "two"],
        "path": ["b.png", "l.png", "n.png", "f.png", "a.png", "a.png"],
        "parent_id": [None, None, None, None, None, "parent"],
        "width": 100,
        "height": 50,
    }
)


def test_lines_are_counted_and_their_share_of_the_image_measured() -> None:
    measured = measure_texts(TEXTS_READ, SAMPLES, reader_id="r")
    values = {(row[0], row[1]): row[3] for row in measured.iter_rows()}
    assert values["two", "text_count"] == 2
    assert values["two", "text_area"] == pytest.approx(500 / 5000)
    assert values["lone", "text_count"] == values["none", "text_count"] == 0
    assert values["lone", "text_area"] == values["none", "text_area"] == 0
    assert values["full", "text_area"] == 1
    assert set(measured["measure_version"]) == {"r"}
    assert measured["content_key"].is_sorted()


def test_the_measures_are_those_that_attributes_can_name() -> None:
    assert measure_names.TEXT_MEASURES == TEXT_MEASURES


def test_a_search_finds_the_lines_of_images_with_every_word_in_any_case() -> None:
    both = search_texts(TEXTS_READ, SAMPLES, ["exit"])
    assert both.select("path", "text").rows() == [
        ("a.png", "Exit"), ("a.png", "EXIT only"), ("b.png", "Exit"), ("b.png", "EXIT only"),
    ]  # fmt: skip
    assert search_texts(TEXTS_READ, SAMPLES, ["ONLY", "exit"]).rows() == both.rows()
    assert search_texts(TEXTS_READ, SAMPLES, ["only", "wall"]).is_empty()
    assert search_texts(TEXTS_READ, SAMPLES, ["e.it"]).is_empty()


def test_a_shard_that_something_else_wrote_is_reported(tmp_path: Path) -> None:
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(StoreError, match="shard cannot be read"):
        read_stored_texts(tmp_path)


def test_without_the_reader_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.texts.rapidocr_reader.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"weakspot\[ocr\]"):
        load_reader()


def no_encoder() -> Encoder:
    raise AssertionError("text needs no encoder")


@pytest.mark.slow
def test_an_attribute_of_text_is_previewed(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    draw_text("STOP").save(tmp_path / "images" / "stop.png")
    Image.new("RGB", (50, 50), "white").save(tmp_path / "images" / "blank.png")
    attribute = read_attribute(find_shipped("image/text"))
    preview = preview_attribute(attribute, tmp_path / "images", no_encoder, limit=9)
    assert preview.counts == {"no": 1, "yes": 1, "unknown": 0}
