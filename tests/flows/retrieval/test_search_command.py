"""`weakspot search` on planted vectors: hits, slices, errors, files, and what it refuses."""

import hashlib
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.workspace.scans.scan_store import VECTORS
from pipeline.workspace.store import Store, find_store
from tests.flows.command import Told, call
from tests.flows.retrieval.planted_workspace import (
    COUNT,
    HITS,
    name_sample,
    put_vectors,
    write_workspace,
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workspace(tmp_path_factory.mktemp("planted")).folder


@pytest.fixture
def own(planted: Path, tmp_path: Path) -> Store:
    """A copy that the test may change."""
    shutil.copytree(planted.parent, tmp_path / "own")
    return find_store(tmp_path / "own" / "workspace")


def search(workspace: Path, *arguments: object) -> dict[str, Any]:
    told = call("search", workspace, *arguments, "--json")
    assert told.code == 0, told.err
    content: dict[str, Any] = json.loads(told.out)
    return content


def list_ids(answer: dict[str, Any]) -> list[str]:
    return [row["sample_id"] for row in answer["samples"]]


def test_the_hits_come_first_and_are_counted(planted: Path) -> None:
    answer = search(planted, "a hat", "--top", HITS)
    assert sorted(list_ids(answer)) == [name_sample(n) for n in range(HITS)]
    assert answer["searched"] == COUNT
    assert answer["hits"]["announced"] == pytest.approx(HITS, rel=0.35)
    assert HITS - 3 <= answer["hits"]["chance_rank"] <= HITS
    scores = [row["score"] for row in answer["samples"]]
    assert scores == sorted(scores, reverse=True)
    assert [row["rank"] for row in answer["samples"]] == list(range(1, HITS + 1))
    assert all(row["neutral"] == 1.0 for row in answer["samples"][:10])


def test_errors_of_the_hits_are_compared_with_the_rest(planted: Path) -> None:
    answer = search(planted, "a hat", "--top", 5)
    (one,) = answer["errors"]
    assert one["system"] == "finder"
    assert one["chosen_by_looking"] is True
    assert one["hits"]["n"] + one["rest"]["n"] == COUNT
    assert one["hits"]["low"] < one["hits"]["error"] < one["hits"]["high"]
    assert one["difference_low"] > 0.2  # twenty of forty fail, elsewhere one in ten
    told = call("search", planted, "a hat", "--top", 5)
    assert "in the hits" in told.out
    assert "chosen by looking" in told.out
    assert search(planted, "a hat", "--errors", "above")["errors"] == []  # all of them fail


def test_words_that_fit_nothing_have_no_hits(planted: Path) -> None:
    answer = search(planted, "a blank")
    assert answer["hits"] is None
    assert answer["errors"] == []
    assert len(answer["samples"]) == 20
    assert "no hits: words about nothing in particular" in call("search", planted, "a blank").out


def test_a_slice_is_searched_alone(planted: Path) -> None:
    answer = search(planted, "a hat", "--in", "time = night", "--top", 100)
    assert answer["searched"] == COUNT // 3
    assert all(int(name[1:]) % 3 == 0 for name in list_ids(answer))
    whole = search(planted, "a hat", "--top", COUNT)
    inside = [name for name in list_ids(whole) if int(name[1:]) % 3 == 0]
    assert list_ids(answer) == inside


@pytest.mark.parametrize(("which", "wrong"), [("above", True), ("zero", False)])
def test_samples_are_chosen_by_their_error(planted: Path, which: str, wrong: bool) -> None:  # noqa: FBT001 - a case
    answer = search(planted, "a hat", "--errors", which, "--top", COUNT)
    assert {row["error.finder"] for row in answer["samples"]} == {1.0 if wrong else 0.0}


def test_what_is_not_wanted_goes_down(planted: Path) -> None:
    plain = list_ids(search(planted, "a hat of another kind", "--top", 1))
    assert plain == [name_sample(39)]
    without = search(planted, "a hat", "--not", "a hat of another kind", "--top", COUNT)
    assert list_ids(without).index(name_sample(39)) > 30


def test_the_least_similar_come_first_with_unlike(planted: Path) -> None:
    answer = search(planted, "a hat", "--unlike", "--top", 200)
    assert set(list_ids(answer)) == {name_sample(n) for n in range(HITS, COUNT)}
    assert answer["hits"] is None
    scores = [row["score"] for row in answer["samples"]]
    assert scores == sorted(scores)


def test_diverse_results_are_apart(planted: Path) -> None:
    answer = search(planted, "a hat", "--diverse", "0.5", "--top", 2)
    assert len(answer["samples"]) == 2
    assert answer["samples"][1]["rank"] > HITS - 2
    told = call("search", planted, "a hat", "--diverse", "1.9", "--top", 3)
    assert "only 1 of the 150 best samples are 1.9 apart" in told.out


@pytest.mark.parametrize("name", ["s004", "004.png"])
def test_a_sample_is_searched_with_by_id_or_path(planted: Path, name: str) -> None:
    answer = search(planted, "--image", name, "--top", HITS - 2)
    assert list_ids(answer)[0] == "s004"
    assert {int(one[1:]) for one in list_ids(answer)} <= set(range(HITS))
    assert answer["hits"]["announced"] == pytest.approx(HITS, abs=4)


def test_words_and_pictures_are_mixed(planted: Path) -> None:
    alone = list_ids(search(planted, "--image", "s004", "--top", COUNT))
    mixed = list_ids(search(planted, "a hat of another kind", "--image", "s004", "--top", COUNT))
    assert mixed.index("s039") < alone.index("s039")
    assert {int(one[1:]) for one in mixed[:HITS]} == set(range(HITS))


def test_captions_are_ranked_for_a_picture(planted: Path, tmp_path: Path) -> None:
    captions = tmp_path / "captions.txt"
    captions.write_text("a blank\n\na hat\na hat\n")
    told = call("search", planted, "--image", "s004", "--texts", captions, "--json")
    texts = [one["text"] for one in json.loads(told.out)["texts"]]
    assert texts[0] == "a hat"
    assert sorted(texts) == ["a blank", "a hat", "none of these"]
    far = call("search", planted, "--image", "s100", "--texts", captions, "--json")
    assert json.loads(far.out)["texts"][0]["text"] == "none of these"


def test_a_sample_that_left_the_dataset_is_not_found(own: Store) -> None:
    samples = own.read_samples().filter(pl.col("sample_id") != "s004")
    own.put_samples(samples)
    answer = search(own.folder, "a hat", "--top", COUNT)
    assert "s004" not in list_ids(answer)
    assert answer["searched"] == COUNT - 1


def test_samples_without_a_vector_are_counted(own: Store) -> None:
    new = own.read_samples().head(3).with_columns(
        pl.col("sample_id") + "new", pl.col("content_key") + "new"
    )  # fmt: skip
    own.put_samples(pl.concat([own.read_samples(), new]))
    told = call("search", own.folder, "a hat", "--json")
    assert told.err == "note: 3 samples have no vector by this encoder and are not searched\n"
    assert json.loads(told.out)["searched"] == COUNT


def test_new_vectors_are_searched_without_a_word(own: Store) -> None:
    search(own.folder, "a hat")
    put_vectors(own, "enc", count=10)  # another shard, of known content
    assert search(own.folder, "a hat")["searched"] == COUNT
    assert len(list(own.scans.rglob(VECTORS))) == 1


def test_of_several_encoders_the_one_that_labelled_is_taken_and_said(own: Store) -> None:
    put_vectors(own, "other", count=50)
    told = call("search", own.folder, "a hat", "--json")
    assert (
        "note: vectors by enc, which labelled last; --encoder takes one of enc, other" in told.err
    )
    assert search(own.folder, "a hat", "--encoder", "oth")["searched"] == 50


def test_int8_gives_the_same_results_and_goes_with_the_array(own: Store) -> None:
    wanted = search(own.folder, "a hat", "--in", "time = night", "--top", 50)
    for _ in range(2):  # made, then mapped
        found = search(own.folder, "a hat", "--in", "time = night", "--top", 50, "--int8")
        assert list_ids(found) == list_ids(wanted)
        scores = [row["score"] for row in found["samples"]]
        assert scores == [row["score"] for row in wanted["samples"]]
        assert found["hits"]["count"] == pytest.approx(wanted["hits"]["count"], rel=0.05)
    (codes,) = own.scans.rglob("codes.i8.npy")
    codes.write_bytes(codes.read_bytes()[:200])  # torn
    assert list_ids(search(own.folder, "a hat", "--top", 9, "--int8")) == list_ids(
        search(own.folder, "a hat", "--top", 9)
    )
    put_vectors(own, "enc", count=10)
    search(own.folder, "a hat")
    assert list(own.scans.rglob("codes.i8.npy")) == []


def hash_database(store: Store) -> str:
    return hashlib.sha256(store.database.read_bytes()).hexdigest()


def test_searching_changes_no_table(own: Store) -> None:
    before = hash_database(own), sorted(path.name for path in own.folder.iterdir())
    search(own.folder, "a hat")
    assert hash_database(own) == before[0]
    assert {path.name for path in own.folder.iterdir()} - set(before[1]) <= {"scan"}


def test_results_are_written_as_tables(planted: Path, tmp_path: Path) -> None:
    wanted = list_ids(search(planted, "a hat", "--top", HITS, "--out", tmp_path / "hits.csv"))
    table = pl.read_csv(tmp_path / "hits.csv")
    assert table["sample_id"].to_list() == wanted
    assert "'=1+1.png" in table["path"].to_list()  # no formula in a spreadsheet
    call("search", planted, "a hat", "--top", HITS, "--out", tmp_path / "hits.parquet")
    same = pl.read_parquet(tmp_path / "hits.parquet")
    assert "=1+1.png" in same["path"].to_list()
    assert same["score"].to_list() == pytest.approx(table["score"].to_list())


def test_the_page_of_results_holds_its_pictures_and_no_script(own: Store, tmp_path: Path) -> None:
    own.database.chmod(0o600)
    page = tmp_path / "hits.html"
    told = call("search", own.folder, "a hat", "--top", 12, "--out", page)
    assert told.code == 0, told.err
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 12
    assert "<script" not in text
    assert "default-src 'none'; img-src data:" in text
    assert "chosen by looking" in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_hostile_words_are_escaped_on_the_page(own: Store, tmp_path: Path) -> None:
    own.put_samples(own.read_samples().with_columns(path=pl.lit("<script>x</script>.png")))
    call("search", own.folder, "a hat", "--out", tmp_path / "hits.html")
    text = (tmp_path / "hits.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "no thumbnail" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "say what to search for"),
        (("a hat", "--in", "tme = night"), 2, "did you mean 'time'?"),
        (("a hat", "--in", "time = dusk"), 2, "no sample has time = dusk"),
        (("a hat", "--in", "time night"), 2, "expected ATTRIBUTE = VALUE"),
        (("a hat", "--finding", 1), 2, "there are no findings"),
        (("a hat", "--system", "other", "--errors", "zero"), 2, "there is finder"),
        (("--image", "nothing.png"), 2, "no file, and no sample"),
        (("--image", __file__), 2, "no image in a known format"),
        (("--image", "s004", "--box", "1,2,3"), 2, "expected X,Y,W,H"),
        (("--image", "s004", "--box", "900,2,3,4"), 2, "lies outside the image"),
        (("a hat", "--box", "1,2,3,4"), 2, "--box is a part of one --image"),
        (("a hat", "--texts", "x.txt"), 2, "--texts goes with one --image"),
        (("a hat", "--out", "hits.doc"), 2, "ends in .csv, .parquet, .html"),
        (("a hat", "--save", "a b"), 2, "a name is letters"),
        (("a hat", "--encoder", "nothing"), 2, "names 0 encoders"),
        (("  ",), 2, "a text to search for is empty"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    planted: Path, arguments: tuple[object, ...], code: int, message: str
) -> None:
    told = call("search", planted, *arguments)
    check_refusal(told, code, message)


def check_refusal(told: Told, code: int, message: str) -> None:
    assert told.code == code, told.err
    assert message in told.err
    assert told.err.startswith("error: ")
    assert len(told.err.splitlines()) == 1


def test_workspaces_that_cannot_be_searched(own: Store, tmp_path: Path) -> None:
    check_refusal(call("search", tmp_path / "nothing", "a hat"), 1, "not a workspace")
    (own.folder / "manifests" / "score.json").unlink()
    told = call("search", own.folder, "a hat", "--errors", "zero")
    check_refusal(told, 2, "no system is scored here")
    assert search(own.folder, "a hat")["errors"] == []
    shutil.rmtree(own.embeddings)
    check_refusal(call("search", own.folder, "a hat"), 1, "no vectors are kept here")


def test_words_that_were_never_encoded_need_the_model(planted: Path) -> None:
    told = call("search", planted, "something else")
    assert told.code == 1
    assert "nowhere" in told.err
    assert "Traceback" not in told.err


def test_a_query_is_saved_as_prompts(own: Store) -> None:
    told = call("search", own.folder, "a hat", "--save", "hatted")
    assert told.code == 0, told.err
    path = own.folder.parent / "attributes" / "hatted.toml"
    assert f"wrote {path}" in told.out
    assert 'add "attributes/hatted.toml" to `use`' in told.out
    assert 'yes = ["a hat"]' in path.read_text()
    assert call("attributes", "check", path).code in {0, 1}
    again = call("search", own.folder, "a hat", "--save", "hatted")
    check_refusal(again, 2, "take another name")


def test_a_picture_is_saved_as_given_values(own: Store) -> None:
    told = call("search", own.folder, "--image", "s004", "--save", "like_this")
    assert told.code == 0, told.err
    table = pl.read_csv(own.folder.parent / "attributes" / "like_this.csv")
    yes = table.filter(pl.col("like_this") == "yes")["sample_id"].to_list()
    assert table.height == COUNT
    assert len(set(yes) & {name_sample(n) for n in range(HITS)}) >= HITS - 4
    assert np.isclose(len(yes), HITS, atol=4)
