"""The page over forms and links alone, as a browser without scripts asks for it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from flows.api.questionnaire import Questionnaire
from pipeline.exceptions import StoreError
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from reports.pages.check_page import BEHAVIOR
from reports.parts.content_policy import hash_text
from tests.flows.api.check_examples import DRAW, make_check_app, make_task, offer_run
from tests.reports.page_reader import Page, read_page

OWN = "http://127.0.0.1:8300"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"


def start(folder: Path, *, journal: Any = None, checker: str = "me", **task: Any) -> TestClient:
    asked = Questionnaire(
        make_task(folder / "images", **task), journal or Journal(folder), checker=checker,
        propose=offer_run,
    )  # fmt: skip
    return TestClient(make_check_app(asked), base_url=OWN, headers={"Origin": OWN})


def answer(client: TestClient, number: int, word: str, **more: str) -> Any:
    form = {"draw": DRAW, "question": str(number), "answer": word, **more}
    return client.post("/checks/answers", data=form)


def read(client: TestClient, path: str = "/") -> Page:
    return read_page(client.get(path).text)


@pytest.mark.parametrize("path", ["/", "/checks?choose=12"])
def test_the_page_is_well_formed_and_asks_nothing_of_elsewhere(tmp_path: Path, path: str) -> None:
    client = start(tmp_path)
    for number in range(12):
        answer(client, number, RIGHT)
    page = read(client, path)
    assert page.faults == []
    assert all(address.startswith(("/images/", "/checks")) for address in page.addresses)
    assert [element for element in page.elements if "style" in element.attributes] == []
    assert [e for e in page.elements if any(n.startswith("on") for n in e.attributes)] == []


def test_script_and_style_are_those_of_the_policy(tmp_path: Path) -> None:
    """A browser hashes what lies between the tags; one more line break and nothing would run."""
    text = start(tmp_path).get("/").text
    for tag, name in (("script", "script-src"), ("style", "style-src")):
        content = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        assert f"{name} '{hash_text(content)}'" in BEHAVIOR.policy


def test_answers_lead_through_the_draw_to_the_last_page(tmp_path: Path) -> None:
    client = start(tmp_path)
    for number in range(24):
        assert f"{number} of 24 answered, {24 - number} left" in read(client).words
        assert answer(client, number, RIGHT).status_code == 200
    words = read(client).words
    assert "All 24 are answered" in words
    assert "hat 12 100.0% 75.8% to 100.0%" in words
    assert "weakspot run audit.toml" in words


def test_precision_is_shown_as_it_grows(tmp_path: Path) -> None:
    client = start(tmp_path)
    for number in range(8):  # hat: yes, no, yes, no, ...
        answer(client, number, WRONG if number == 2 else RIGHT)
    words = read(client).words
    assert "hat no 4 0 0 2 100.0%51.0% to 100.0%" in words
    assert "hat yes 3 1 0 2 75.0%30.1% to 95.4%" in words


def test_wrong_of_two_values_is_the_other_one(tmp_path: Path) -> None:
    client = start(tmp_path)
    answer(client, 0, WRONG)
    answer(client, 1, CANNOT_SAY)
    checks = Journal(tmp_path).read()
    assert checks["value"].to_list() == ["no", None]
    assert checks["shown"].to_list() == ["yes", "no"]


def test_of_several_values_the_true_one_can_be_picked(tmp_path: Path) -> None:
    client = start(tmp_path)
    for number in range(12):
        answer(client, number, RIGHT)
    chosen = read(client, "/checks?choose=12")
    assert "hair: not short, but?" in chosen.words
    assert {"1", "2", "3", "Enter", "Escape n", "? Space"} <= {
        element.attributes.get("data-keys") for element in chosen.select("button", "a")
    }
    answer(client, 12, WRONG, value="2")
    answer(client, 13, WRONG, value="")
    answer(client, 14, WRONG)
    assert Journal(tmp_path).read()["value"].to_list()[-3:] == ["long", None, None]
    # An address that names a question which is answered by now shows the next one plainly.
    assert "hair: none?" in read(client, "/checks?choose=12").words


def test_where_there_is_no_label_the_question_is_which_value(tmp_path: Path) -> None:
    client = start(tmp_path, values={"hat": ("yes", "no")}, unlabelled=12)
    page = read(client)
    assert "hat: which value?" in page.words
    keys = [element.attributes.get("data-keys") for element in page.select("button", "a")]
    assert keys == ["1 y", "2 n", "0", "? Space"]
    form = {"draw": DRAW, "question": "0", "value": "0"}
    assert client.post("/checks/answers", data=form).status_code == 200
    assert answer(client, 1, WRONG).status_code == 409
    assert answer(client, 1, RIGHT).status_code == 200
    first, second = Journal(tmp_path).read().to_dicts()
    assert (first["shown"], first["answer"], first["value"]) == (UNKNOWN, WRONG, "yes")
    assert (second["shown"], second["answer"], second["value"]) == (UNKNOWN, RIGHT, UNKNOWN)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"draw": "another"}, 409), ({"answer": "maybe"}, 409), ({"answer": ""}, 409),
        ({"question": "24"}, 409), ({"question": "-1"}, 400), ({"question": "x"}, 400),
        ({"question": ""}, 400), ({"value": "2"}, 409), ({"value": "yes"}, 400),
        ({"answer": "wrong", "value": "0"}, 409), ({"answer": "right", "value": "1"}, 409),
        ({"answer": "cannot say", "value": "1"}, 409), ({"question": "9" * 400}, 400),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_refused_and_not_kept(
    tmp_path: Path, form: dict[str, str], status: int
) -> None:
    client = start(tmp_path)
    whole = {"draw": DRAW, "question": "0", "answer": "right", **form}
    done = client.post("/checks/answers", data=whole)
    assert done.status_code == status
    assert Journal(tmp_path).read().is_empty()
    if status == 409:
        page = read_page(done.text)
        assert page.faults == []
        assert "0 of 24 answered" in page.words
        assert "not" in page.words or "nothing" in page.words


def test_undo_goes_back_one_answer_at_a_time_and_not_beyond_the_draw(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(
        Answer(sample_id="elsewhere", attribute="hat", shown="yes", answer="right", value="yes",
               checker="me", checked_at="2026-01-01T00:00:00+00:00")
    )  # fmt: skip
    client = start(tmp_path)
    assert "Undo" not in read(client).words
    answer(client, 0, RIGHT)
    answer(client, 1, WRONG)
    for left in (1, 0):
        done = client.post("/checks/undo", data={"draw": DRAW})
        assert f"{left} of 24 answered" in read_page(done.text).words
    assert client.post("/checks/undo", data={"draw": DRAW}).status_code == 409
    assert journal.read()["sample_id"].to_list() == ["elsewhere"]


def test_undo_of_an_answer_given_twice_brings_the_first_one_back(tmp_path: Path) -> None:
    client = start(tmp_path)
    answer(client, 0, RIGHT)
    answer(client, 0, WRONG)
    client.post("/checks/undo", data={"draw": DRAW})
    assert Journal(tmp_path).read()["answer"].to_list() == [RIGHT]
    assert "1 of 24 answered" in read(client).words


def test_each_checker_has_a_way_of_their_own_and_the_end_compares_them(tmp_path: Path) -> None:
    ann = start(tmp_path, checker="ann", values={"hat": ("yes", "no")})
    bob = start(tmp_path, checker="bob", values={"hat": ("yes", "no")})
    for number in range(12):
        answer(ann, number, RIGHT)
    assert "0 of 12 answered" in read(bob).words
    for number in range(12):
        answer(bob, number, WRONG if number < 3 else RIGHT)
    words = read(bob).words
    assert "hat ann and bob 12 75.0% 0.50" in words
    assert "hat ann and bob 12 75.0% 0.50" in read(ann).words  # also where the page was open before


def test_texts_are_escaped_everywhere(tmp_path: Path) -> None:
    values = {HOSTILE: (HOSTILE, "plain", "other\r\n value\x00")}
    client = start(tmp_path, checker=HOSTILE, values=values, name=HOSTILE, count=4)
    for path in ("/", "/checks?choose=0"):
        page = read(client, path)
        assert page.faults == []
        assert len(page.select("script")) == 1
        assert [e for e in page.select("img") if "onerror" in e.attributes] == []
        assert HOSTILE in page.words
    answer(client, 0, WRONG, value="2")  # a value that no form could send back as it is
    assert Journal(tmp_path).read()["value"].to_list() == ["other\r\n value\x00"]
    for number in range(1, 4):
        answer(client, number, CANNOT_SAY)
    end = read(client)
    assert (end.faults, len(end.select("script"))) == ([], 1)


class FullDisk:
    """A journal that can be read and not written."""

    def append(self, answer: Answer) -> None:
        raise StoreError(f"journal.jsonl: cannot be written ({answer.attribute}): disk is full")

    def undo(self, checker: str) -> None:
        raise AssertionError(checker)

    def read(self) -> pl.DataFrame:
        return Journal(Path("nowhere")).read()


def test_an_answer_that_cannot_be_kept_is_said_and_asked_again(tmp_path: Path) -> None:
    client = start(tmp_path, journal=FullDisk())
    done = answer(client, 0, RIGHT)
    assert done.status_code == 500
    words = read_page(done.text).words
    assert "disk is full" in words
    assert "0 of 24 answered" in words


def test_a_picture_that_is_gone_leaves_the_page_alive(tmp_path: Path) -> None:
    client = start(tmp_path)
    (tmp_path / "images" / "0.png").unlink()
    (tmp_path / "images" / "1.png").write_bytes(b"no image")
    for name in ("0", "1"):
        picture = client.get(f"/images/{int(name):016x}")
        assert picture.status_code == 404
        assert str(tmp_path) not in picture.text
    assert client.get(f"/images/{2:016x}").headers["content-type"] == "image/jpeg"
    assert answer(client, 0, CANNOT_SAY).status_code == 200


def test_the_path_of_an_image_is_shown_on_request_alone(tmp_path: Path) -> None:
    """A folder named after a class would answer the question."""
    page = read(start(tmp_path))
    assert "0.png" not in [e.attributes.get("alt") for e in page.select("img")]
    assert "0.png" not in page.words.split("Which file is it?")[0]


def test_there_is_nothing_to_check_in_an_empty_draw(tmp_path: Path) -> None:
    page = read(start(tmp_path, values={}))
    assert page.faults == []
    assert "There is nothing to check" in page.words
