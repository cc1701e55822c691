"""The state of a questionnaire is a function of the draw and the journal, and of nothing else."""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.api.questionnaire import AnswerRefusedError, Questionnaire
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from pipeline.workspace.kept.kept_checks import Journal
from tests.flows.api.check_examples import DRAW, make_task

VALUES = {"hat": ("yes", "no"), "hair": ("short", "medium", "long")}
COUNT = 4
QUESTIONS = COUNT * len(VALUES)
STEPS = st.one_of(
    st.tuples(
        st.just("answer"),
        st.integers(0, QUESTIONS - 1),
        st.sampled_from([RIGHT, WRONG, CANNOT_SAY]),
        st.sampled_from([None, 0, 1, 2]),
    ),
    st.just(("undo",)),
    st.just(("restart",)),
    st.just(("tear",)),
    st.tuples(st.just("other"), st.integers(0, QUESTIONS - 1)),
)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, max_size=25))
def test_what_was_kept_is_what_the_page_shows(steps: list[tuple[object, ...]]) -> None:
    """Also after restarts, after torn lines, and with another checker in the same journal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = make_task(folder / "images", values=VALUES, count=COUNT, unlabelled=1)
        asked = Questionnaire(task, Journal(folder), checker="me")
        given_answers: list[int] = []  # the questions of my answers, in order
        for step in steps:
            match step:
                case ("answer", int(number), str(word), (None | int()) as value):
                    try:
                        asked.answer(DRAW, number, word, value)
                        given_answers.append(number)
                    except AnswerRefusedError:
                        pass
                case ("undo",):
                    if asked.describe().can_undo:
                        asked.undo(DRAW)
                        given_answers.pop()
                    else:
                        assert given_answers == []
                case ("other", int(number)):
                    other = Questionnaire(task, Journal(folder), checker="you")
                    other.answer(DRAW, number, CANNOT_SAY)
                case ("tear",):
                    Journal(folder).path.parent.mkdir(exist_ok=True)
                    with Journal(folder).path.open("ab") as file:
                        file.write(b'{"sample_id": "torn by a kill')
                case _:
                    asked = Questionnaire(task, Journal(folder), checker="me")
            state = asked.describe()
            done = set(given_answers)
            assert state.answered == len(done)
            left = [number for number in range(QUESTIONS) if number not in done]
            asked_now = [state.question.number] if state.question else []
            assert asked_now == left[:1]
            assert state.can_undo == bool(given_answers)


def test_a_kept_answer_repeats_its_question_and_knows_its_time(tmp_path: Path) -> None:
    task = make_task(tmp_path / "images", values=VALUES, count=COUNT, unlabelled=1)
    asked = Questionnaire(task, Journal(tmp_path), checker="me")
    asked.answer(DRAW, 4, WRONG, 1)
    asked.answer(DRAW, 3, WRONG, 1)
    first, second = Journal(tmp_path).read().to_dicts()
    assert (first["attribute"], first["shown"], first["value"]) == ("hair", "short", "medium")
    assert (second["attribute"], second["shown"], second["value"]) == ("hat", UNKNOWN, "no")
    assert first["checked_at"].endswith("+00:00")
    assert (first["checker"], first["draw"]) == ("me", "value")


def test_the_next_samples_are_named_so_that_their_pictures_are_fetched(tmp_path: Path) -> None:
    task = make_task(tmp_path / "images", values=VALUES, count=COUNT)
    question = Questionnaire(task, Journal(tmp_path), checker="me").describe().question
    assert question is not None
    assert question.ahead == tuple(f"{number:016x}" for number in (1, 2, 3))


@pytest.mark.slow
def test_an_answer_takes_a_fraction_of_the_half_second_that_a_person_has(tmp_path: Path) -> None:
    """With a thousand answers in the journal; two images a second are judged."""
    task = make_task(tmp_path / "images", values={"hat": ("yes", "no")}, count=1200)
    asked = Questionnaire(task, Journal(tmp_path), checker="me")
    for number in range(1000):
        asked.answer(DRAW, number, RIGHT)
    asked = Questionnaire(task, Journal(tmp_path), checker="me")
    seconds = []
    for number in range(1000, 1040):
        started = time.perf_counter()
        asked.answer(DRAW, number, RIGHT)
        asked.describe()
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[20] < 0.25
