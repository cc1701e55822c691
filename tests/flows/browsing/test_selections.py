"""What is saved while browsing: what is refused, what is written, and how a run takes it in."""

from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from flows.run.reading.saved_attributes import add_saved_columns, read_saved_attributes
from pipeline.exceptions import ConfigError
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.kept.kept_selections import Selection, SelectionJournal
from tests.flows.api.browse_examples import OWN, make_client
from tests.flows.command import call


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return make_client(tmp_path)


def save(client: TestClient, **body: object) -> tuple[int, str]:
    body = {"name": "mine", "saved_as": "attribute", **body}
    answer = client.post("/api/v1/selections", json=body, headers={"Origin": OWN})
    return answer.status_code, answer.text


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"where": "time = nite"}, "did you mean 'night'"),
    ({"where": "time = night and time = day"}, "nothing to save"),
    ({"name": "../evil", "where": "time = night"}, "a name is letters"),
    ({"name": "time", "where": "time = night"}, "an attribute is called so"),
    ({"saved_as": "slice"}, "saved by its condition"),
    ({"saved_as": "slice", "sample_ids": ["s001"]}, "saved by its condition"),
    ({"sample_ids": ["s001", "nobody"]}, "no sample 'nobody'"),
    ({"text": "a blank", "where": "time = night"}, "pick the samples"),
    ({"where": "time = night and not error = 0"}, "the condition names the error"),
    ({"where": "error.finder > 0", "text": "a hat"}, "the condition names the error"),
]


def test_what_cannot_be_saved_is_refused_and_leaves_nothing(
    client: TestClient, tmp_path: Path
) -> None:
    for body, words in REFUSED:
        status, text = save(client, **body)
        assert (status, words in text) == (400, True), text
    assert not (tmp_path / "attributes").exists()
    assert SelectionJournal(tmp_path / "workspace").read() == ()


def test_a_slice_has_its_evidence_as_of_now(client: TestClient, tmp_path: Path) -> None:
    assert save(client, saved_as="slice", where="time = night")[0] == 201
    assert save(client, saved_as="slice", where="time = day")[0] == 400  # the name is taken
    (one,) = client.get("/api/v1/selections").json()["selections"]
    assert (one["n"], one["evidence"]["n"], one["evidence"]["rest_n"]) == (80, 80, 160)
    told = call("selections", "list", tmp_path / "workspace")
    assert told.out == "mine: slice of 80 samples, time = night\n"
    file = tmp_path / "out.csv"
    assert call("selections", "export", tmp_path / "workspace", "mine", file).code == 0
    assert pl.read_csv(file).height == 80
    assert call("selections", "remove", tmp_path / "workspace", "other").code == 2
    assert call("selections", "remove", tmp_path / "workspace", "mine").code == 0
    assert "nothing is saved" in call("selections", "list", tmp_path / "workspace").out


def test_picked_samples_become_a_column_that_a_run_reads(
    client: TestClient, tmp_path: Path
) -> None:
    assert save(client, sample_ids=["s003", "s005"])[0] == 201
    (saved,) = read_saved_attributes(tmp_path / "workspace", used={"time"})
    assert (saved.attribute.kind, saved.attribute.name) == ("given", "mine")
    columns = pl.DataFrame({"sample_id": ["s003", "s004", "later"]})
    empty = pl.DataFrame()
    dataset = SampleSet(empty, empty, empty, empty, empty, columns, {})
    added = add_saved_columns(dataset, [saved]).columns
    assert added["mine"].to_list() == ["yes", "no", None]
    assert read_saved_attributes(tmp_path / "workspace", used={"mine"}) == ()
    (tmp_path / "attributes" / "mine.csv").unlink()
    with pytest.raises(ConfigError, match="weakspot selections remove"):
        read_saved_attributes(tmp_path / "workspace", used=())


def test_words_become_prompts_and_undo_removes_the_file(client: TestClient, tmp_path: Path) -> None:
    assert save(client, text="a hat")[0] == 201
    file = tmp_path / "attributes" / "mine.toml"
    assert 'yes = ["a hat"]' in file.read_text(encoding="utf-8")
    answer = client.post("/api/v1/undo", headers={"Origin": OWN})
    assert answer.json() == {"undone": "mine is no longer saved"}
    assert not file.exists()
    assert client.post("/api/v1/undo", headers={"Origin": OWN}).json() == {"undone": ""}


def test_undo_takes_back_nothing_that_was_not_done_here(client: TestClient, tmp_path: Path) -> None:
    """The checker may have answered elsewhere since; what was removed elsewhere is passed over."""
    own = {"sample_id": "s003", "attribute": "time", "answer": "right"}
    assert client.post("/api/v1/checks", json=own, headers={"Origin": OWN}).status_code == 201
    journal = Journal(tmp_path / "workspace")
    (here,) = [one.answer for one in journal.replay().given]
    elsewhere = here.model_copy(update={"sample_id": "s006"})
    journal.append(elsewhere)
    assert save(client, where="time = night")[0] == 201
    assert call("selections", "remove", tmp_path / "workspace", "mine").code == 0
    answer = client.post("/api/v1/undo", headers={"Origin": OWN})
    assert answer.json() == {"undone": "the answer about time of s003 was taken back"}
    assert [one.answer for one in journal.replay().given] == [elsewhere]
    assert client.post("/api/v1/undo", headers={"Origin": OWN}).json() == {"undone": ""}


def test_a_torn_line_of_the_journal_is_left_out(tmp_path: Path) -> None:
    journal = SelectionJournal(tmp_path)
    journal.append(Selection(name="a", saved_as="slice", n=1, where="x = 1"))
    with journal.path.open("ab") as file:
        file.write(b'{"name":"b","saved_as":"sli')
    journal.append(Selection(name="c", saved_as="slice", n=1, where="x = 1"))
    assert [one.name for one in journal.read()] == ["a", "c"]
