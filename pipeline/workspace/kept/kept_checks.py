"""What people said of labels: a journal that only grows, one line an answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.workspace.journals.journal_file import append_lines
from pipeline.workspace.journals.journal_lines import (
    Answer,
    Replay,
    Stratum,
    Undo,
    replay_lines,
    tabulate_answers,
)


@dataclass(frozen=True)
class Journal:
    """The answers kept in the workspace `folder`; several processes may write at a time."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file, one JSON object a line."""
        return self.folder / "checks" / "journal.jsonl"

    def append(self, answer: Answer) -> None:
        """Keep an answer; it is on disk when this returns. Raises StoreError when it cannot be."""
        self._write([answer])

    def append_all(self, answers: Sequence[Answer]) -> None:
        """Keep answers in their order, all in one write."""
        self._write(answers)

    def note_strata(self, strata: Sequence[Stratum]) -> None:
        """Keep what was drawn, before it is shown: the inclusion of answers follows from it."""
        self._write(strata)

    def undo(self, checker: str) -> Answer | None:
        """Take back the checker's last answer and return it; None when there is none."""
        given = [one.answer for one in self.replay().given]
        last = [one for one in given if one.checker == checker]
        if not last:
            return None
        self._write(
            [Undo(checker=checker, sample_id=last[-1].sample_id, attribute=last[-1].attribute)]
        )
        return last[-1]

    def take_back(self, answer: Answer) -> bool:
        """Take back one answer if it still holds; return whether it did."""
        if all(one.answer != answer for one in self.replay().given):
            return False
        self._write(
            [Undo(checker=answer.checker, sample_id=answer.sample_id, attribute=answer.attribute)]
        )
        return True

    def read(self) -> pl.DataFrame:
        """Return CHECKS: the answers that hold, the newest last."""
        return tabulate_answers(self.replay())

    def replay(self) -> Replay:
        """Return answers, what was drawn, and which lines could not be read, in words."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return Replay()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read: {error.strerror}") from None
        return replay_lines(content.split(b"\n"))

    def list_faults(self) -> tuple[str, ...]:
        """Return which lines are left out, in words; none of a whole journal."""
        return tuple(f"{self.path}: {fault}" for fault in self.replay().faults)

    def _write(self, lines: Iterable[Answer | Undo | Stratum]) -> None:
        text = "".join(f"{line.model_dump_json()}\n" for line in lines).encode()
        if not text:
            return
        append_lines(self.path, text)


def read_checks(folder: Path) -> pl.DataFrame:
    """Return CHECKS, the answers kept in the workspace `folder`, the newest last; none is no error.

    `Journal(folder).list_faults()` says which lines were left out.
    """
    return Journal(folder).read()
