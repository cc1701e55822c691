"""Words name what a region shows beside its attributes; drafts are attribute files that work."""

from pathlib import Path

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.labels.attribute_file import check_attribute, read_attribute
from pipeline.regions.region_draft import fit_prompts, write_given_draft, write_prompt_draft
from pipeline.regions.region_values import list_values
from pipeline.regions.region_words import (
    choose_words,
    list_words,
    measure_words,
    subtract_attributes,
)
from tests.regions.drawn_rows import DrawnRows, draw_rows

WORDS = ["first", "second", "third", "fourth", "first again", "rest"]


def make_texts(rows: DrawnRows) -> Floats:
    none = -rows.directions.sum(axis=0) / 2
    return np.stack([*rows.directions, rows.directions[0], none])


def test_the_word_of_the_mark_is_first_and_not_that_of_the_attribute() -> None:
    rows = draw_rows()
    inside = rows.select(0, 1)
    attributes = pl.DataFrame({"second": pl.Series(rows.marks[:, 1]).cast(pl.String)})
    texts = make_texts(rows)
    effects = measure_words(subtract_attributes(rows.vectors, attributes), inside, texts)
    chosen = choose_words(WORDS, effects, texts)
    assert chosen["word"][0] == "first"
    assert "first again" not in chosen["word"].to_list()
    assert abs(effects[1]) < 0.2 * effects[0]
    raw = measure_words(subtract_attributes(rows.vectors, pl.DataFrame()), inside, texts)
    assert raw[1] > 1.0  # it would be named if nothing were known of it


def test_shipped_words_are_phrases_each_once() -> None:
    words = list_words()
    assert len(words) == len(set(words)) > 300
    assert all(word == word.strip() and "{" not in word for word in words)


def test_values_of_a_region_come_with_their_lift() -> None:
    rows = draw_rows(1)
    named = pl.DataFrame(
        {
            "second": pl.Series(rows.marks[:, 1]).replace_strict({True: "yes", False: "no"}),
            "other": pl.Series(rows.marks[:, 3]).replace_strict({True: "yes", False: "unknown"}),
        }
    )
    listed = list_values(named, rows.select(0, 1)).to_dicts()
    assert [(one["attribute"], one["value"], one["share"]) for one in listed] == [
        ("second", "yes", 1.0)
    ]
    assert abs(listed[0]["lift"] - 1 / rows.marks[:, 1].mean()) < 1e-9


def test_a_draft_by_prompts_finds_the_region(tmp_path: Path) -> None:
    rows = draw_rows(2)
    inside = rows.select(0)
    texts = make_texts(rows)
    effects = measure_words(subtract_attributes(rows.vectors, pl.DataFrame()), inside, texts)
    pair = fit_prompts(rows.vectors, inside, WORDS, effects, texts)
    assert pair is not None
    assert pair.words[0] in ("first", "first again")
    assert pair.fit > 0.7
    path = tmp_path / "draft.toml"
    path.write_text(write_prompt_draft(pair, name="draft", system="a\nsystem", rank=1))
    assert all("warning: " in line for line in check_attribute(path))
    assert read_attribute(path).values["yes"] == pair.words


def test_no_words_fit_a_region_of_noise() -> None:
    rows = draw_rows(3)
    inside = np.random.default_rng(0).random(len(rows.vectors)) < 0.1
    texts = make_texts(rows)
    effects = measure_words(subtract_attributes(rows.vectors, pl.DataFrame()), inside, texts)
    pair = fit_prompts(rows.vectors, inside, WORDS, effects, texts)
    assert pair is None or pair.fit < 0.4


def test_a_draft_by_samples_reads_a_column(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(write_given_draft(name="draft", system="s", rank=2))
    attribute = read_attribute(path)
    assert (attribute.kind, attribute.given_column) == ("given", "draft")


def test_every_shipped_word_may_be_a_prompt(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    listed = ", ".join(f'"{word}"' for word in list_words())
    path.write_text(
        'name = "words"\nkind = "prompts"\n[values]\n'
        f'yes = [{listed}]\nno = ["anything else", "the rest", "others", "more"]\n'
    )
    assert [line for line in check_attribute(path) if "warning" not in line] == []
