"""A draw is gone on with until it is answered, by whoever asks for the same."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from flows.api.check_task import make_task
from flows.api.kept_draw import continue_draw, take_turns
from flows.api.questionnaire import Questionnaire
from flows.checks.session import CheckSession, DrawOptions, open_session
from pipeline.vocabulary import CANNOT_SAY, RIGHT
from pipeline.workspace.journals.journal_lines import Answer
from tests.flows.small_audit import SmallAudit

ASKED = DrawOptions(budget=8, attributes=("tone",), checker="me")


@pytest.fixture
def session(labelled: SmallAudit) -> CheckSession:
    return open_session(labelled.config)


def answer_all(session: CheckSession, options: DrawOptions, *, count: int = 100) -> None:
    task = make_task(session, continue_draw(session, options))
    asked = Questionnaire(task, session.journal, checker=options.checker)
    while (question := asked.describe().question) is not None and count:
        asked.answer(task.draw_id, question.number, CANNOT_SAY)
        count -= 1


def test_a_draw_is_gone_on_with_until_all_is_answered(
    session: CheckSession, labelled: SmallAudit
) -> None:
    first = continue_draw(session, ASKED)
    assert (first.rows.height, first.left) == (8, 8)
    answer_all(session, ASKED, count=3)
    again = continue_draw(open_session(labelled.config), ASKED)
    assert (again.draw_id, again.left) == (first.draw_id, 5)
    assert again.rows.equals(first.rows)
    answer_all(session, ASKED)
    second = continue_draw(session, ASKED)
    assert second.draw_id != first.draw_id
    assert second.rows.join(first.rows, on=["sample_id", "attribute"]).is_empty()


def test_going_on_draws_nothing_and_notes_nothing(session: CheckSession) -> None:
    continue_draw(session, ASKED)
    before = session.journal.path.read_bytes()
    continue_draw(session, ASKED)
    assert session.journal.path.read_bytes() == before


def test_another_checker_gets_the_same_draw_and_other_options_another(
    session: CheckSession,
) -> None:
    mine = continue_draw(session, ASKED)
    answer_all(session, ASKED)
    yours = continue_draw(session, replace(ASKED, checker="you"))
    assert (yours.draw_id, yours.left) == (mine.draw_id, 8)
    assert continue_draw(session, replace(ASKED, budget=4)).draw_id != mine.draw_id


def test_a_draw_of_labels_that_changed_is_passed_over(session: CheckSession) -> None:
    first = continue_draw(session, ASKED)
    other = {"dark": "light", "light": "dark", "unknown": "dark"}
    flipped = session.labels.with_columns(
        pl.when(pl.col("attribute") == "tone")
        .then(pl.col("value").replace_strict(other, default="dark"))
        .otherwise("value")
        .alias("value")
    )
    second = continue_draw(replace(session, labels=flipped), ASKED)
    assert second.draw_id != first.draw_id


def test_nothing_is_kept_of_a_draw_without_labels(session: CheckSession) -> None:
    everything = replace(ASKED, budget=1000)
    answer_all(session, everything)
    draw = continue_draw(session, everything)
    assert (draw.rows.height, draw.left) == (0, 0)
    state = Questionnaire(make_task(session, draw), session.journal, checker="me").describe()
    assert (state.total, state.question) == (0, None)
    assert sum(label.cannot_say for label in state.labels) == 48


def test_earlier_answers_count_in_the_precision(session: CheckSession) -> None:
    row = session.labels.filter(attribute="tone").row(0, named=True)
    session.journal.append(
        Answer(sample_id=row["sample_id"], attribute="tone", shown=row["value"], answer=RIGHT,
               value=row["value"], checker="me", checked_at="2026-01-01T00:00:00+00:00",
               draw="imported")
    )  # fmt: skip
    task = make_task(session, continue_draw(session, ASKED))
    state = Questionnaire(task, session.journal, checker="me").describe()
    assert (state.answered, state.can_undo) == (0, False)
    assert sum(label.right for label in state.labels) == 1


def test_the_task_holds_what_is_drawn_and_not_the_dataset(session: CheckSession) -> None:
    task = make_task(session, continue_draw(session, ASKED))
    assert task.samples.height == 8
    assert task.sizes["size"].sum() == 48
    assert task.values == {"tone": ("dark", "light")}
    assert task.root == Path(session.resolved.audit.dataset.root)


def test_turns_keep_an_attribute_together_and_every_block_balanced() -> None:
    rows = pl.DataFrame(
        {
            "sample_id": [str(n) for n in range(60)],
            "attribute": ["a", "b", "c"] * 20,
            "shown": (["yes"] * 3 + ["no"] * 3) * 10,
        }
    )
    turned = take_turns(rows)
    assert turned["attribute"].to_list() == (["a"] * 10 + ["b"] * 10 + ["c"] * 10) * 2
    for start in range(0, 60, 10):
        assert turned["shown"][start : start + 10].to_list().count("yes") == 5
    own = turned.filter(attribute="a")["sample_id"].to_list()
    assert own == [str(n) for n in range(0, 60, 3)]  # the random order of a label stays
