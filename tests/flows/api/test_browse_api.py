"""The API of the page: its answers are those of the planted workspace."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from tests.flows.api.browse_examples import add_system, copy_workspace, make_client, serve_source
from tests.flows.command import call
from tests.flows.retrieval.planted_workspace import COUNT


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("served"))


def read(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fails(number: int) -> bool:
    return number < 20 or number % 10 == 9


def test_pages_by_cursor_are_all_samples_that_fit_by_falling_error(client: TestClient) -> None:
    seen: list[dict[str, Any]] = []
    page = read(client, "samples", where="time = night", limit=33)
    while True:
        seen += page["items"]
        if page["next"] is None:
            break
        page = read(client, "samples", where="time = night", limit=33, after=page["next"])
    night = [n for n in range(COUNT) if n % 3 == 0]
    wanted = [n for n in night if fails(n)] + [n for n in night if not fails(n)]
    assert [one["sample_id"] for one in seen] == [f"s{n:03}" for n in wanted]
    assert page["total"] == len(night) == 80
    assert {one["labels"]["time"] for one in seen} == {"night"}


def test_the_evidence_is_of_all_that_fit_and_says_that_it_was_chosen(client: TestClient) -> None:
    page = read(client, "samples", where="time = night", limit=1)
    night = [n for n in range(COUNT) if n % 3 == 0]
    rest = [n for n in range(COUNT) if n % 3 != 0]
    evidence = page["evidence"]
    assert (evidence["n"], evidence["rest_n"]) == (80, 160)
    assert evidence["error"] == pytest.approx(sum(map(fails, night)) / 80)
    assert evidence["rest_error"] == pytest.approx(sum(map(fails, rest)) / 160)
    assert evidence["error_low"] < evidence["error"] < evidence["error_high"]
    assert any("optimistic" in note for note in page["notes"])
    assert read(client, "samples")["notes"] == []
    named = read(client, "samples", where="error > 0")["notes"]
    assert any("names the error itself" in note for note in named)


def test_a_search_by_words_has_the_planted_hits_first(client: TestClient) -> None:
    page = read(client, "samples", text="a hat", limit=40)
    hats = {one["sample_id"] for one in page["items"]}
    assert hats == {f"s{n:03}" for n in range(40)}
    scores = [one["similarity"] for one in page["items"]]
    assert scores == sorted(scores, reverse=True)
    second = read(client, "samples", text="a hat", limit=40, after=page["next"])
    assert not hats & {one["sample_id"] for one in second["items"]}
    assert second["items"][0]["similarity"] <= scores[-1]
    last = read(client, "samples", text="a hat", sort="similarity", limit=5)
    assert all(int(one["sample_id"][1:]) >= 40 for one in last["items"])
    inside = read(client, "samples", text="a hat", where="time = night", limit=500)
    assert inside["total"] == 80
    assert inside["next"] is None


def test_the_error_of_a_search_without_counted_hits_is_said_to_be_of_all(
    client: TestClient,
) -> None:
    page = read(client, "samples", like="s003", where="time = night", limit=1)
    assert page["evidence"]["n"] == page["total"] == 80
    assert page["notes"][0].startswith("Hits are not counted here")
    named = read(client, "samples", like="s003", where="path contains error", limit=1)
    assert not any("names the error itself" in note for note in named["notes"])


def test_hits_among_samples_chosen_by_an_error_are_those_of_the_system(tmp_path: Path) -> None:
    store = copy_workspace(tmp_path)
    add_system(store, "seeker")
    client = serve_source(SnapshotSource(store))
    for name in ("finder", "seeker"):
        page = read(client, "samples", text="a hat", where="error > 0", system=name)
        assert page["evidence"]["error"] == 1.0, name


def test_a_sample_has_labels_errors_and_neighbors(client: TestClient) -> None:
    sample = read(client, "samples/s003")
    assert sample["labels"][0]["attribute"] == "time"
    assert sample["labels"][0]["value"] == "night"
    assert sample["errors"] == {"finder": 1.0}
    near = [one["sample_id"] for one in sample["neighbors"]]
    assert len(near) == 12
    assert "s003" not in near
    assert all(int(name[1:]) < 40 for name in near)
    like = read(client, "samples", like="s003", limit=13)["items"]
    assert [one["sample_id"] for one in like] == ["s003", *near]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "words"),
    [
        ("samples", {"where": "tame = night"}, 400, "did you mean 'time'"),
        ("samples", {"where": "x'; DROP TABLE samples --"}, 400, "condition, character 2"),
        ("samples", {"where": "a" * 2001}, 422, "where"),
        ("samples", {"sort": "-eror"}, 400, "did you mean 'error'"),
        ("samples", {"sort": "similarity"}, 400, "needs a text or a picture"),
        ("samples", {"text": "a hat", "sort": "error"}, 400, "ordered by similarity"),
        ("samples", {"without": "a hat"}, 400, "needs a text or a picture"),
        ("samples", {"like": "nobody"}, 400, "no sample 'nobody'"),
        ("samples", {"like": "upload-x"}, 410, "send it again"),
        ("samples", {"system": "seeker"}, 400, "known: finder"),
        ("samples", {"limit": 501}, 422, "less than or equal to 500"),
        ("samples", {"limit": 0}, 422, "greater than or equal to 1"),
        ("samples", {"after": "abc"}, 400, "is no cursor"),
        ("samples/s999", {}, 404, "no sample 's999'"),
        ("samples/..%2f..%2fetc%2fpasswd", {}, 404, ""),
        ("findings/1", {}, 404, "no finding 1"),
        ("findings/x", {}, 422, "rank"),
        ("nosuch", {}, 404, "Not Found"),
    ],
)
def test_what_cannot_be_is_a_problem_in_words(
    client: TestClient, path: str, parameters: dict[str, Any], status: int, words: str
) -> None:
    answer = client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]


def test_the_place_of_a_fault_in_a_condition_is_a_number(client: TestClient) -> None:
    problem = client.get("/api/v1/samples", params={"where": "time = nite"}).json()
    assert problem["position"] == 7


def test_a_cursor_of_another_query_is_refused(client: TestClient) -> None:
    cursor = read(client, "samples", limit=5)["next"]
    answer = client.get("/api/v1/samples", params={"after": cursor, "where": "time = night"})
    assert (answer.status_code, "another query" in answer.text) == (400, True)


def test_an_answer_that_is_known_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/api/v1/samples", params={"limit": 2})
    tag = first.headers["etag"]
    again = client.get("/api/v1/samples", params={"limit": 2}, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/v1/samples", params={"limit": 3}, headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_a_cursor_of_an_earlier_snapshot_is_gone(tmp_path: Path) -> None:
    source = SnapshotSource(copy_workspace(tmp_path))
    client = serve_source(source)
    cursor = read(client, "samples", limit=5)["next"]
    (tmp_path / "workspace" / "results" / "a-run").mkdir(parents=True)
    assert source.refresh()
    answer = client.get("/api/v1/samples", params={"after": cursor, "limit": 5})
    assert (answer.status_code, "have changed" in answer.text) == (410, True)


def test_a_search_has_the_evidence_of_its_hits_as_the_command_has_it(tmp_path: Path) -> None:
    client = make_client(tmp_path)
    page = read(client, "samples", text="a hat", limit=1)
    told = json.loads(call("search", tmp_path / "workspace", "a hat", "--json").out)
    own, rest = told["errors"][0]["hits"], told["errors"][0]["rest"]
    assert told["hits"]["announced"] == page["evidence"]["n"] == own["n"] > 30
    assert page["evidence"]["error"] == pytest.approx(own["error"])
    assert page["evidence"]["error_low"] == pytest.approx(own["low"])
    assert page["evidence"]["rest_error"] == pytest.approx(rest["error"])
    assert any("are hits" in note for note in page["notes"])
    assert any("optimistic" in note for note in page["notes"])
    nothing = read(client, "samples", text="a blank", limit=1)
    assert nothing["evidence"] is None
    assert any("no hits" in note for note in nothing["notes"])
