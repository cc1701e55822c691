"""`weakspot rank`, `similar` and `similarity` as a user calls them, right and wrong."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from tests.flows.command import call
from tests.flows.ranked_audit import write_ranked
from tests.flows.small_audit import SmallAudit


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    return write_ranked(tmp_path_factory.mktemp("ranked"))


@pytest.fixture(scope="module")
def workspace(audit: SmallAudit) -> Path:
    return audit.folder / "workspace"


def rank_json(workspace: Path, *options: object) -> dict[str, object]:
    told = call("rank", workspace, "--truth", "quarter", "--json", *options)
    assert told.code == 0, told.err
    content: dict[str, object] = json.loads(told.out)
    return content


def test_rank_judges_every_pooling_and_whitening(workspace: Path) -> None:
    found = rank_json(
        workspace, "--pool", "cls", "--pool", "max", "--pool", "rmac", "--whiten", "none",
        "--whiten", "center", "--whiten", "pca:4", "--whiten", "4", "--clusters", 4,
    )  # fmt: skip
    rankings = found["rankings"]
    assert isinstance(rankings, list)
    ways = [(one["pool"], one["whiten"]) for one in rankings]
    assert ways == [
        (pool, whiten)
        for pool in ("cls", "max", "rmac3")
        for whiten in ("none", "center", "pca:4", "4")
    ]
    assert found["samples"] == 50
    assert found["queries"] == found["possible_queries"] == 49  # the near copy has no quarter
    for one in rankings:
        total = one["summary"][0]
        assert total["class"] is None
        assert total["ci_low"] <= total["mean_average_precision"] <= total["ci_high"]
        assert total["mean_average_precision"] > total["chance"] + 0.1
        assert one["dim"] == (4 if one["whiten"] in {"pca:4", "4"} else one["dim"])
        assert one["clusters"]["clusters"] == 4
    assert rankings[0]["difference_to_first"] == {}
    assert rankings[1]["difference_to_first"]["oxford"]["mean"] == pytest.approx(
        rankings[1]["summary"][0]["mean_average_precision"]
        - rankings[0]["summary"][0]["mean_average_precision"]
    )


def test_pooled_vectors_are_kept_like_the_others_and_made_once(workspace: Path) -> None:
    rank_json(workspace, "--pool", "rmac")
    [folder] = (workspace / "embeddings").glob("*+rmac3")
    shards = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert shards
    again = rank_json(workspace, "--pool", "rmac")
    assert {p.name: p.stat().st_mtime_ns for p in folder.glob("*.parquet")} == shards
    [shard] = folder.glob("*.parquet")
    shard.write_bytes(shard.read_bytes()[:-9])  # damaged: made again
    assert rank_json(workspace, "--pool", "rmac") == again
    assert call("doctor", workspace).code == 0
    assert call("prune", workspace, "--yes").code == 0
    assert folder.exists()  # of the encoder in use


def test_the_equal_copy_of_a_query_is_left_out(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "queries.parquet"
    told = call("rank", workspace, "--truth", "quarter", "--out", out)
    assert told.code == 0
    assert "49 of 49 possible queries among 50 samples, 4 classes of quarter" in told.out
    rows = pl.read_parquet(out)
    first = rows.row(by_predicate=pl.col("path") == "0000.png", named=True)
    other = rows.row(by_predicate=pl.col("path") == "0004.png", named=True)
    assert (first["relevant"], other["relevant"]) == (11, 12)
    assert other["candidates"] == first["candidates"] + 1


def test_the_revisited_protocol_takes_a_column(workspace: Path) -> None:
    told = call("rank", workspace, "--truth", "quarter", "--difficulty", "hardness")
    assert told.code == 0
    assert [f"protocol {name}" in told.out for name in ("easy", "medium", "hard")] == [True] * 3


def test_similar_names_copies_apart_and_leaks(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "duplicates.csv"
    told = call("similar", workspace, "--duplicates", 0.99999, "--split", "part", "--out", out)
    assert told.code == 0, told.err
    assert "groups of equal pixels: 1 (2 samples), of near duplicates" in told.out
    rows = pl.read_csv(out)
    assert rows.filter(kind="exact")["path"].sort().to_list() == ["0000.png", "copy.png"]
    near = rows.filter(pl.col("path") == "near.png").row(0, named=True)
    assert near["kind"] == "near"
    assert near["across_splits"] is True
    content = json.loads(call("similar", workspace, "--split", "part", "--json").out)
    assert content["sizes"] == {"train": 48, "val": 2}
    leaks = {(one["split"], one["other"]): one["samples"] for one in content["leaks"]}
    assert leaks["val", "train"] == 2


def test_similar_writes_a_page_of_groups(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    told = call("similar", workspace, "--split", "part", "--duplicates", 0.99999, "--out", out)
    assert told.code == 0, told.err
    page = out.read_text()
    assert page.count("<img") >= 4
    assert "an exact copy" in page
    assert "across splits" in page
    assert "val: 2 of 2 samples (100.0%) have a duplicate in train" in page
    assert "<script" not in page


def test_without_splits_that_is_said(workspace: Path) -> None:
    assert "no splits are known" in call("similar", workspace).out


def test_similarity_prints_classes_and_captions_and_draws_them(
    audit: SmallAudit, tmp_path: Path
) -> None:
    captions = tmp_path / "captions.csv"
    lines = [f"{i:04}.png,a {'dark' if i % 2 else 'light'} scene {i % 3}" for i in range(20)]
    captions.write_text("\n".join(["path,caption", *lines, "0000.png,another one"]) + "\n")
    picture, out = tmp_path / "p.svg", tmp_path / "c.csv"
    told = call(
        "similarity", audit.config, "--classes", "quarter", "--captions", captions,
        "--picture", picture, "--out", out,
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "image and own caption" in told.out
    assert f"picture: {picture}" in told.out
    root = ET.fromstring(picture.read_text())  # noqa: S314 - our own file
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"images by quarter", "image and caption", "two captions", "darkest"} <= set(texts)
    table = pl.read_csv(out)
    assert table["class"].to_list() == [None, *sorted(("darkest", "dark", "light", "lightest"))]
    assert table["samples"].to_list()[0] == 49
    assert (table["inner"] > table["inter"]).all()
    content = json.loads(
        call("similarity", audit.config, "--classes", "tone", "--captions", captions, "--json").out
    )
    assert content["classes"]["source"] == "labels"
    assert content["captions"]["images"] == 20
    assert content["captions"]["means"]["image and own caption"]["pairs"] == 21
    assert content["captions"]["means"]["two captions of an image"]["pairs"] == 1
    assert (audit.folder / "report" / "similarity.svg").exists()


def test_captions_of_coco_are_read(audit: SmallAudit, tmp_path: Path) -> None:
    file = tmp_path / "captions.json"
    images = [{"id": i, "file_name": f"{i:04}.png"} for i in range(5)]
    notes = [{"id": i, "image_id": i % 5, "caption": f"scene {i}"} for i in range(15)]
    file.write_text(json.dumps({"images": images, "annotations": notes}))
    told = call("similarity", audit.config, "--captions", file, "--json")
    found = json.loads(told.out)["captions"]
    assert (found["images"], found["captions"]) == (5, 15)
    assert found["means"]["two captions of an image"]["pairs"] == 5 * 3


WRONG = [
    (("rank", "{w}", "--truth", "quarters"), 2, "did you mean 'quarter'?"),
    (("rank", "{w}", "--truth", "tone"), 2, "made by the model that is to be judged"),
    (("rank", "{w}", "--truth", "sample_id"), 2, "neither a column of the dataset nor"),
    (("rank", "{w}", "--truth", "quarter", "--whiten", "lots"), 2, "expected none, center, pca:D"),
    (("rank", "{w}", "--truth", "quarter", "--whiten", "99"), 2, "ask for at most"),
    (("rank", "{w}", "--truth", "quarter", "--clusters", "999"), 2, "there are 50 samples"),
    (("rank", "{w}", "--truth", "quarter", "--difficulty", "part"), 2, "found 'train', 'val'"),
    (("rank", "{w}", "--truth", "quarter", "--out", "x.txt"), 2, "write to a file that ends in"),
    (("rank", "{w}/none", "--truth", "quarter"), 1, "not a workspace"),
    (("rank", "{a}", "--truth", "quarter"), 1, "`workspace` in audit.toml names, not a file"),
    (("rank", "{w}", "--truth", "one"), 2, "with one every order is right"),
    (("similarity", "{a}", "--classes", "one"), 2, "known of these samples is 1"),
    (("similarity", "{w}", "--classes", "quarter"), 2, "a folder; expected a TOML file"),
    (("similar", "{w}", "--split", "parts"), 2, "did you mean 'part'?"),
    (("similar", "{w}", "--across"), 2, "name a column with --split"),
    (("similar", "{w}", "--duplicates", "2"), 2, ""),
    (("similarity", "{a}"), 2, "name --classes, --captions or both"),
    (("similarity", "{a}", "--classes", "tune"), 2, "did you mean 'tone'?"),
    (("similarity", "{a}", "--classes", "quarter", "--labels"), 2, "no such labelled attribute"),
    (("similarity", "{a}", "--captions", "none.csv"), 2, "there is no such file"),
    (("similarity", "{a}", "--captions", "{w}/../columns.csv"), 2, "expected the columns"),
    (("similarity", "{a}", "--captions", "{w}/../audit.toml"), 2, "expected a .csv"),
    (("similarity", "{a}", "--classes", "tone", "--picture", "x.jpg"), 2, "ends in .svg"),
]


@pytest.mark.parametrize(("words", "code", "message"), WRONG, ids=[str(w[2]) for w in WRONG])
def test_what_cannot_be_is_one_line(
    audit: SmallAudit, workspace: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    told = call(*(word.format(w=workspace, a=audit.config) for word in words))
    assert told.code == code
    assert message in told.err
    assert told.out == ""
    if message:
        assert len(told.err.strip().splitlines()) == 1
