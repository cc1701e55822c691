"""A person says of the label of one sample whether it is right."""

from flows.browsing.browser import Browser
from flows.browsing.save_selection import write_now
from pipeline.checks.answer_words import AnswerError, settle_answer
from pipeline.exceptions import ConfigError, NotFoundError
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal

ANSWERS = {"right": RIGHT, "wrong": WRONG, "unclear": CANNOT_SAY}


def check_label(
    browser: Browser,
    sample_id: str,
    attribute: str,
    answer: str,
    *,
    value: str | None = None,
    checker: str,
) -> Answer:
    """Keep an answer to the label that a sample has now; it is on disk when this returns.

    answer: a key of ANSWERS. value: what is true instead, where that is known. The sample was
    not drawn, so the answer carries no inclusion. Raises NotFoundError for an unknown sample or
    attribute, ConfigError for an answer that cannot be.
    """
    row = browser.snapshot.find_row(sample_id)
    if row is None:
        raise NotFoundError(f"there is no sample {sample_id[:40]!r}")
    column = browser.snapshot.list_columns(None).get(attribute)
    names = {one.name for one in browser.snapshot.card.attributes}
    if attribute not in names or column is None:
        raise NotFoundError(f"there is no attribute {attribute[:40]!r}")
    if answer not in ANSWERS:
        raise ConfigError(f"answer {answer[:40]!r}: say {', '.join(ANSWERS)}")
    values = [one for one in column.values if one != UNKNOWN]
    if value is not None and value not in values:
        raise ConfigError(f"{attribute} has no value {value[:40]!r}")
    shown = browser.snapshot.samples[column.column][row]
    try:
        settled, true = settle_answer(ANSWERS[answer], value, shown=shown, values=values)
    except AnswerError as error:
        raise ConfigError(f"{error}; nothing was kept") from None
    kept = Answer.model_validate(
        {
            "sample_id": sample_id,
            "attribute": attribute,
            "shown": shown,
            "answer": settled,
            "value": true,
            "checker": checker,
            "checked_at": write_now(),
            "draw": "imported",
        }
    )
    Journal(browser.store.folder).append(kept)
    return kept
