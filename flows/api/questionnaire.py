"""Where one checker is in a draw of labels: derived from the draw and the journal, kept in neither.

A server that is killed and started again, or a page that is reloaded, therefore goes on where the
last kept answer was.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from flows.api.check_views import view_accuracies, view_pairs, view_tallies
from pipeline.checks.answer_words import AnswerError, settle_answer
from pipeline.checks.judgement import judge_labels
from pipeline.checks.tally import tally_verdicts
from pipeline.exceptions import WeakspotError
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from pipeline.workspace.journals.journal_lines import Answer
from reports.pages.check_page import CheckQuestion, CheckState

AHEAD = 3  # samples whose pictures are fetched before they are asked
_KEY = ["sample_id", "attribute"]
Offer = tuple[str, str]  # a sentence on what to do next, and the command that does it


class AnswerJournal(Protocol):
    """Where answers are kept: on disk when `append` and `undo` return."""

    def append(self, answer: Answer) -> None:
        """Keep an answer."""

    def undo(self, checker: str) -> Answer | None:
        """Take back the checker's last answer."""

    def read(self) -> pl.DataFrame:
        """Return CHECKS, the answers that hold, the newest last."""


class AnswerRefusedError(WeakspotError):
    """An answer that does not fit what is asked; the message is for the person who gave it."""


@dataclass(frozen=True, eq=False)
class CheckTask:
    """What is checked, read once when the server starts.

    name: of the audit. draw_id: names the draw. rows: DRAWN, in the order to ask. known: sample_id,
    attribute, shown and draw of the rows and of labels that have answers from before. sizes:
    attribute, shown, size: how many samples have each label. values: of each attribute, in order.
    samples: SAMPLES, those drawn. root: the folder that their paths are relative to.
    """

    name: str
    draw_id: str
    rows: pl.DataFrame
    known: pl.DataFrame
    sizes: pl.DataFrame
    values: Mapping[str, tuple[str, ...]]
    samples: pl.DataFrame
    root: Path


class Questionnaire:
    """One checker's way through one draw; several threads may use it.

    propose: gives offers for the last page. home: the address that the page leads back to, ""
    where it is alone. now: the clock.
    """

    def __init__(
        self,
        task: CheckTask,
        journal: AnswerJournal,
        *,
        checker: str,
        propose: Callable[[], Sequence[Offer]] = tuple,
        home: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.task = task
        self.checker = checker
        self._journal = journal
        self._propose = propose
        self._home = home
        self._now = now
        self._lock = threading.Lock()
        self._asked = task.rows.select(*_KEY, "shown")
        self._own = set(task.rows.select(_KEY).iter_rows())
        self._facts = {
            row[0]: row[1:] for row in task.samples.select("sample_id", "path", "w").iter_rows()
        }

    def describe(self, *, choose: int | None = None, problem: str = "") -> CheckState:
        """Return what the page shows.

        choose: number of the question of which the true value is to be picked. problem: why the
        last answer was not kept.
        """
        checks = self._journal.read()
        unanswered = self._find_unanswered(checks)
        total = self.task.rows.height
        tally = tally_verdicts(judge_labels(self.task.known, checks, checker=self.checker))
        ended = not unanswered
        return CheckState(
            name=self.task.name,
            checker=self.checker,
            draw_id=self.task.draw_id,
            answered=total - len(unanswered),
            total=total,
            question=None if ended else self._make_question(unanswered),
            can_undo=self._can_undo(checks),
            choosing=choose in unanswered[:1],
            labels=view_tallies(tally),
            attributes=view_accuracies(tally, self.task.sizes) if ended else (),
            pairs=view_pairs(self.task.known, checks) if ended else (),
            offers=tuple(self._propose()) if ended else (),
            problem=problem,
            home=self._home,
        )

    def answer(
        self, draw_id: str, number: int, answer: str | None, value: int | None = None
    ) -> None:
        """Keep an answer; it is on disk when this returns.

        number: of the question. answer: RIGHT, WRONG or CANNOT_SAY; None where the value says it.
        value: number of the true value among those of the attribute.
        Raises AnswerRefusedError for an answer to another draw or one that cannot be, StoreError
        when it cannot be kept.
        """
        with self._lock:
            self._require_draw(draw_id)
            if not 0 <= number < self.task.rows.height:
                raise AnswerRefusedError("There is no such question; the answer was not kept.")
            self._journal.append(self._make_answer(number, answer, value))

    def undo(self, draw_id: str) -> None:
        """Take back the checker's last answer.

        Raises AnswerRefusedError where it belongs to another draw, StoreError when it cannot be
        kept.
        """
        with self._lock:
            self._require_draw(draw_id)
            if not self._can_undo(self._journal.read()):
                raise AnswerRefusedError("There is no answer of this draw to undo.")
            self._journal.undo(self.checker)

    def _require_draw(self, draw_id: str) -> None:
        if draw_id != self.task.draw_id:
            raise AnswerRefusedError(
                "That page was of another draw of labels; nothing was changed. This is the one "
                "that is checked now."
            )

    def _find_unanswered(self, checks: pl.DataFrame) -> list[int]:
        """Return the numbers of the questions without an answer, in order."""
        judged = judge_labels(self._asked, checks, checker=self.checker)
        return judged["verdict"].is_null().arg_true().to_list()

    def _make_question(self, unanswered: Sequence[int]) -> CheckQuestion:
        number, *ahead = unanswered[: AHEAD + 1]
        sample_id, attribute, shown = self._read_row(number)
        path, width = self._facts.get(sample_id, ("", None))
        return CheckQuestion(
            number=number,
            sample_id=sample_id,
            attribute=attribute,
            shown=shown,
            values=self.task.values[attribute],
            path=path,
            of_object=width is not None,
            ahead=tuple(dict.fromkeys(self._read_row(other)[0] for other in ahead)),
        )

    def _read_row(self, number: int) -> tuple[str, str, str]:
        sample_id, attribute, shown = self._asked.row(number)
        return sample_id, attribute, shown

    def _can_undo(self, checks: pl.DataFrame) -> bool:
        own = checks.filter(pl.col("checker") == self.checker)
        return not own.is_empty() and own.select(_KEY).row(-1) in self._own

    def _make_answer(self, number: int, answer: str | None, value: int | None) -> Answer:
        sample_id, attribute, shown = self._read_row(number)
        if answer not in {RIGHT, WRONG, CANNOT_SAY} and (answer or value is None):
            raise AnswerRefusedError("That is no answer; nothing was kept.")
        values = self.task.values[attribute]
        if value is not None and not 0 <= value < len(values):
            raise AnswerRefusedError("There is no such value; nothing was kept.")
        picked = None if value is None else values[value]
        try:
            settled, true = settle_answer(answer, picked, shown=shown, values=values)
        except AnswerError as error:
            raise AnswerRefusedError(f"{error}; nothing was kept.") from None
        if shown == UNKNOWN and settled == WRONG and true is None:
            raise AnswerRefusedError("Which value is true? Nothing was kept.")
        return Answer.model_validate(
            {
                "sample_id": sample_id,
                "attribute": attribute,
                "shown": shown,
                "answer": settled,
                "value": true,
                "checker": self.checker,
                "checked_at": self._now().isoformat(timespec="seconds"),
                "draw": self.task.rows["draw"][number],
            }
        )
