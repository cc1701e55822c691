import numpy as np
import polars as pl
import pytest

from pipeline.probes.judge_probes import GroupedImages, ProbeSettings, judge_probes
from pipeline.probes.probe_verdict import NOT_SHOWN, SHOWN
from pipeline.vocabulary import INSUFFICIENT
from tests.probes.word_worlds import NOUNS, compare, make_images, make_probes


def judge(
    seed: int,
    *,
    people: int = 150,
    pairs: int = 8,
    planted: int = 0,
    strength: float = 0.0,
    color: float = 0.3,
    **settings: float | None,
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    vectors, images = make_images(rng, people=people)
    file = make_probes(pairs)
    cosines = compare(rng, vectors, file, planted=planted, strength=strength, color=color)
    options = ProbeSettings(seed=0, **settings)  # type: ignore[arg-type]  # one of its own keys
    return judge_probes([file], {file.name: cosines}, images, nouns=NOUNS, settings=options)


def test_a_planted_direction_is_shown_in_five_of_five_and_in_no_other() -> None:
    table = judge(2, planted=5, strength=0.8)
    assert table["verdict"].to_list() == [SHOWN] * 5 + [NOT_SHOWN] * 3
    assert (table["d"].head(5) > table["null_edge"].head(5)).all()


@pytest.mark.slow
def test_neutral_against_neutral_is_rarely_called_where_the_usual_test_calls_most() -> None:
    tables = pl.concat(judge(seed, color=1.5) for seed in range(40, 52))
    assert np.mean(tables["image_p"].to_numpy() < 0.05) > 0.5
    assert np.mean(tables["p"].to_numpy() < 0.05) < 0.12  # 96 pairs: 0.05 and two standard errors
    assert (tables["verdict"] == SHOWN).sum() <= 2  # of 12 families, each at 0.05


def test_ten_against_ten_is_insufficient_with_the_number_that_would_do() -> None:
    rng = np.random.default_rng(1)
    vectors, images = make_images(rng, people=10, each=1)
    file = make_probes(2)
    cosines = compare(rng, vectors, file, planted=1, strength=1.5)
    table = judge_probes(
        [file], {file.name: cosines}, images, nouns=NOUNS, settings=ProbeSettings()
    )
    assert table["verdict"].to_list() == [INSUFFICIENT] * 2
    assert (table["needed_n"] >= 30).all()


def test_a_lean_that_one_wording_alone_has_is_not_shown() -> None:
    rng = np.random.default_rng(2)
    vectors, images = make_images(rng, people=150)
    file = make_probes(3, synonyms=4)
    strong = compare(np.random.default_rng(7), vectors, file, planted=1, strength=0.8)
    plain = compare(np.random.default_rng(7), vectors, file)
    word = "first 0 0"
    mixed = type(plain)(
        {**plain.together, word: strong.together[word]},
        {key: strong.each[key] if key[1] == word else own for key, own in plain.each.items()},
    )
    table = judge_probes([file], {file.name: mixed}, images, nouns=NOUNS, settings=ProbeSettings())
    first = table.row(0, named=True)
    assert first["p_family"] < 0.05
    assert (first["verdict"], first["reason"]) == (NOT_SHOWN, "other wordings say otherwise")


def test_a_lean_that_a_covariate_explains_is_not_left_within_strata() -> None:
    """Smiling makes the first word near, and nine of ten men smile, one of ten women."""
    rng = np.random.default_rng(5)
    vectors, images = make_images(rng, people=300, each=1, lean=0.0)
    man = (images.groups == "man").to_numpy()
    smiles = rng.random(len(man)) < np.where(man, 0.9, 0.1)
    vectors[:, 0] += 0.25 * smiles
    file = make_probes(3)
    cosines = compare(rng, vectors, file, planted=1, strength=1.0, color=0.05)
    strata = smiles.astype(np.int64)
    adjusted = GroupedImages(images.attribute, images.groups, images.clusters, strata)
    tables = [
        judge_probes([file], {file.name: cosines}, given, nouns=NOUNS, settings=ProbeSettings())
        for given in (images, adjusted)
    ]
    assert tables[0]["verdict"][0] == SHOWN
    assert tables[1]["verdict"][0] == NOT_SHOWN
    assert tables[1]["reason"][0] == "not left within strata"
    assert tables[1]["compared_share"][0] == pytest.approx(1.0)


def test_the_gate_fails_on_a_shown_shift_alone() -> None:
    table = judge(2, planted=5, strength=0.8, max_shift=0.05)
    assert set(table.filter(verdict=SHOWN)["gate"]) == {"fail"}
    assert set(table.filter(verdict=NOT_SHOWN)["gate"]) == {"pass"}
    assert judge(2, planted=5, strength=0.8)["gate"].null_count() == 8


def test_of_two_groups_one_is_compared_and_of_three_each() -> None:
    rng = np.random.default_rng(3)
    vectors, images = make_images(rng, people=90)
    file = make_probes(2)
    cosines = compare(rng, vectors, file)
    third = pl.Series(rng.choice(["a", "b", "c"], len(vectors)))
    many = GroupedImages("age", third, images.clusters)
    settings = ProbeSettings()
    two = judge_probes([file], {file.name: cosines}, images, nouns=NOUNS, settings=settings)
    three = judge_probes([file], {file.name: cosines}, many, nouns=NOUNS, settings=settings)
    assert two.select("group", "others").unique().rows() == [("man", "woman")]
    assert three["group"].to_list() == ["a", "a", "b", "b", "c", "c"]
    assert set(three["others"]) == {"all others"}


def test_words_that_the_encoder_takes_for_one_are_said_to_be_so() -> None:
    rng = np.random.default_rng(4)
    vectors, images = make_images(rng, people=90)
    file = make_probes(2)
    cosines = compare(rng, vectors, file)
    same = cosines.together["first 0 0"]
    one = type(cosines)({**cosines.together, "second 0 0": same}, cosines.each)
    row = judge_probes([file], {file.name: one}, images, nouns=NOUNS, settings=ProbeSettings()).row(
        0, named=True
    )
    assert (row["verdict"], row["d"]) == (NOT_SHOWN, None)
    assert row["reason"] == "the encoder takes these words for one"
    dull = type(cosines)(
        {**cosines.together, **dict.fromkeys(NOUNS, same)},
        {key: same if key[1] in NOUNS else own for key, own in cosines.each.items()},
    )
    table = judge_probes([file], {file.name: dull}, images, nouns=NOUNS, settings=ProbeSettings())
    assert table["verdict"].to_list() == [INSUFFICIENT] * 2
    assert table["null_edge"].null_count() == 2
