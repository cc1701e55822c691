"""The lines of the journal of checks: answers, what was undone, what was drawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pipeline.tables import CHECKS, check
from pipeline.vocabulary import CANNOT_SAY, RIGHT, WRONG
from pipeline.workspace.manifests import Record

DrawKind = Literal["value", "finding", "imported"]


class Answer(Record):
    """What one person said of the label of one sample: a row of CHECKS, whose columns say more.

    value: the true value; for "right" the label shown, for "wrong" the value chosen, None where
    just "wrong" or "cannot say" is known. inclusion: as another file gave it; what was drawn here
    has its own.
    """

    sample_id: str
    attribute: str
    shown: str | None
    answer: Literal["right", "wrong", "cannot say"]
    value: str | None
    checker: str
    checked_at: str
    draw: DrawKind = "value"
    inclusion: float | None = Field(default=None, gt=0, le=1)
    kind: Literal["answer"] = "answer"

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Answer":
        wrong = {
            RIGHT: self.value is None or (self.shown is not None and self.value != self.shown),
            WRONG: self.value is not None and self.value == self.shown,
            CANNOT_SAY: self.value is not None,
        }
        if wrong[self.answer]:
            raise ValueError(
                f"answer {self.answer!r} to label {self.shown!r} does not go with value "
                f"{self.value!r}"
            )
        return self


class Undo(Record):
    """The last answer of a checker to a sample is taken back; the one before it holds again."""

    checker: str
    sample_id: str
    attribute: str
    kind: Literal["undo"] = "undo"


class Stratum(Record):
    """The samples that were drawn from those of one label: the first of them in the random order.

    drawn: sample_ids in that order; asked: those of them that had no answer before. size: of the
    stratum. draw: "finding" where the stratum is that part of a label which a finding needs.
    """

    draw: Literal["value", "finding"]
    attribute: str
    shown: str
    size: int
    drawn: tuple[str, ...]
    asked: tuple[str, ...]
    seed: int
    kind: Literal["stratum"] = "stratum"


Line = Annotated[Answer | Undo | Stratum, Field(discriminator="kind")]
_LINE: TypeAdapter[Line] = TypeAdapter(Line)


@dataclass(frozen=True)
class Given:
    """An answer that holds. line: of the journal. stratum: as what it was asked, of `strata`."""

    line: int
    answer: Answer
    stratum: int | None


@dataclass(frozen=True)
class Replay:
    """What the lines of a journal amount to.

    given: the answers that hold, oldest first, one of each checker, sample and attribute. strata:
    all that was drawn. faults: in words, lines that could not be read.
    """

    given: tuple[Given, ...] = ()
    strata: tuple[Stratum, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def seed(self) -> int | None:
        """The seed of the random order; None before anything was drawn."""
        return self.strata[0].seed if self.strata else None


def replay_lines(lines: Iterable[bytes]) -> Replay:
    """Return what the lines of a journal amount to, from the first to the last.

    A later answer of a checker to the same sample and attribute replaces the earlier one. A line
    that is no whole line, as a killed process leaves it, is left out and named in `faults`.
    """
    held: dict[tuple[str, str, str], list[Given]] = {}
    asked: dict[tuple[str, str, str], int] = {}  # by draw, sample and attribute: the last stratum
    strata: list[Stratum] = []
    faults = []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = _LINE.validate_json(text)
        except ValidationError as error:
            faults.append(f"line {number} is left out: {_shorten(error)}")
            continue
        if isinstance(line, Stratum):
            for name in line.asked:
                asked[line.draw, name, line.attribute] = len(strata)
            strata.append(line)
            continue
        key = (line.checker, line.sample_id, line.attribute)
        if isinstance(line, Answer):
            draws = ("value", "finding") if line.draw == "imported" else (line.draw,)
            found = [asked.get((draw, line.sample_id, line.attribute)) for draw in draws]
            last = max((one for one in found if one is not None), default=None)
            held.setdefault(key, []).append(Given(number, line, last))
        elif held.get(key):
            held[key].pop()
    given = sorted((own[-1] for own in held.values() if own), key=lambda one: one.line)
    return Replay(tuple(given), tuple(strata), tuple(faults))


def tabulate_answers(replay: Replay) -> pl.DataFrame:
    """Return CHECKS, one row an answer, with the probability that its sample was drawn.

    A stratum of N samples of which the first m in the random order have answers is a simple random
    sample: each of its samples had the probability m / N. A sample of several strata, because more
    was drawn later, for a finding, or of other labels, has the largest of these: all strata follow
    one order of permanent random numbers, so that the larger sample holds the smaller one
    (Ohlsson 1995, Coordination of samples using permanent random numbers). Samples of no stratum
    keep the inclusion that came with their answer.
    """
    answered = {(one.answer.sample_id, one.answer.attribute) for one in replay.given}
    fulfilled = {(one.answer.sample_id, one.answer.attribute, one.stratum) for one in replay.given}
    drawn: dict[tuple[str, str], tuple[float, str]] = {}
    for number, stratum in enumerate(replay.strata):
        keys = [(name, stratum.attribute) for name in stratum.drawn]
        # To the last that was answered for this stratum: what other draws asked beyond it is none
        # of its sample.
        ends = [at for at, key in enumerate(keys, start=1) if (*key, number) in fulfilled]
        own = [key for key in keys[: max(ends, default=0)] if key in answered]
        for key in own:
            found: tuple[float, str] = (len(own) / stratum.size, stratum.draw)
            drawn[key] = max(drawn.get(key, found), found)
    rows = []
    for one in (given.answer for given in replay.given):
        row = one.model_dump(exclude={"kind"})
        if best := drawn.get((one.sample_id, one.attribute)):
            row |= dict(zip(("inclusion", "draw"), best, strict=True))
        rows.append(row)
    return check(pl.DataFrame(rows, schema=dict(CHECKS)), CHECKS, table="checks")


def _shorten(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("answer", "undo"))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
