"""What a person says of a label, as words of a file and as the true value that follows."""

from collections.abc import Sequence

from pipeline.exceptions import WeakspotError
from pipeline.files.table_file import fold_spelling
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG

_WORDS = {
    "right": RIGHT,
    "correct": RIGHT,
    "wrong": WRONG,
    "incorrect": WRONG,
    "cannotsay": CANNOT_SAY,
    "cannottell": CANNOT_SAY,
    "can'tsay": CANNOT_SAY,
    "can'ttell": CANNOT_SAY,
    "notsure": CANNOT_SAY,
}


class AnswerError(WeakspotError):
    """An answer that contradicts itself or says nothing that can be used."""


def read_answer_word(cell: str) -> str | None:
    """Return RIGHT, WRONG or CANNOT_SAY for a word that means it, None for any other."""
    return _WORDS.get(fold_spelling(cell.strip().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def settle_answer(
    answer: str | None, value: str | None, *, shown: str | None, values: Sequence[str]
) -> tuple[str, str | None]:
    """Return the answer and the true value that follow from what was said of a label.

    answer: RIGHT, WRONG, CANNOT_SAY or None; value: the true value or None; one of them is given.
    shown: the label, None where there is none. values: of the attribute, without "unknown". "wrong"
    of one of two values is the other; of more values it leaves the true one open. A true value
    "unknown" is "cannot say", unless that was the label. Raises AnswerError where the two do not go
    together.
    """
    if value == UNKNOWN and shown != UNKNOWN:
        if answer == RIGHT:
            raise AnswerError(f"answer 'right' to label {shown!r}, but value 'unknown'")
        return CANNOT_SAY, None
    if answer is None:
        return (RIGHT if value == shown else WRONG), value
    if answer == CANNOT_SAY:
        if value is not None:
            raise AnswerError(f"answer 'cannot say', but value {value!r}")
        return CANNOT_SAY, None
    if shown is None:
        raise AnswerError(f"answer {answer!r}, but there is no label; give the true value")
    if value is not None and (value == shown) != (answer == RIGHT):
        raise AnswerError(f"answer {answer!r} to label {shown!r}, but value {value!r}")
    if answer == RIGHT:
        return RIGHT, shown
    others = [one for one in values if one != shown]
    if value is None and len(others) == 1 and shown in values:
        return WRONG, others[0]
    return WRONG, value
