from typing import Any

import polars as pl
import pytest

from pipeline.checks.judgement import judge_labels
from pipeline.checks.tally import estimate_accuracy, tally_verdicts
from pipeline.tables import CHECKS
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG


def make_draw(*rows: tuple[str, str], draw: str = "value") -> pl.DataFrame:
    """Return a draw of one attribute: (sample, label)."""
    return pl.DataFrame(
        [(sample, "hat", shown, draw) for sample, shown in rows],
        schema=["sample_id", "attribute", "shown", "draw"], orient="row",
    )  # fmt: skip


def make_sizes(**sizes: int) -> pl.DataFrame:
    return pl.DataFrame(
        [("hat", shown, size) for shown, size in sizes.items()],
        schema=["attribute", "shown", "size"], orient="row",
    )  # fmt: skip


def make_checks(*rows: dict[str, Any]) -> pl.DataFrame:
    plain = {"attribute": "hat", "checker": "me", "checked_at": "", "draw": "value"}
    return pl.DataFrame([plain | row for row in rows], schema=dict(CHECKS))


def say(sample: str, shown: str, answer: str, value: str | None, checker: str = "me") -> Any:
    return {"sample_id": sample, "shown": shown, "answer": answer, "value": value,
            "checker": checker}  # fmt: skip


def test_verdicts_are_those_of_the_checker_in_the_order_of_the_draw() -> None:
    draw = make_draw(("a", "yes"), ("b", "yes"), ("c", "no"), ("d", "no"))
    checks = make_checks(
        say("c", "no", RIGHT, "no"),
        say("a", "yes", WRONG, "no"),
        say("b", "yes", CANNOT_SAY, None),
        say("d", "no", RIGHT, "no", checker="you"),
    )
    judged = judge_labels(draw, checks, checker="me")
    assert judged["sample_id"].to_list() == ["a", "b", "c", "d"]
    assert judged["verdict"].to_list() == [WRONG, CANNOT_SAY, RIGHT, None]
    assert judged["value"].to_list() == ["no", None, "no", None]


def test_an_answer_counts_for_a_new_label_by_its_true_value() -> None:
    draw = make_draw(("a", "yes"), ("b", "yes"), ("c", "yes"))
    checks = make_checks(
        say("a", "no", WRONG, "yes"),  # relabelled: right now
        say("b", "no", RIGHT, "no"),  # relabelled: wrong now
        say("c", "no", WRONG, None),  # of three values: what is true was not said
    )
    judged = judge_labels(draw, checks, checker="me")
    assert judged["verdict"].to_list() == [RIGHT, WRONG, None]


def test_precision_is_the_share_of_right_among_right_and_wrong() -> None:
    draw = make_draw(*((str(n), "yes") for n in range(12)), ("x", UNKNOWN))
    checks = make_checks(
        *(say(str(n), "yes", RIGHT, "yes") for n in range(8)),
        *(say(str(n), "yes", WRONG, "no") for n in range(8, 10)),
        say("10", "yes", CANNOT_SAY, None),
        say("x", UNKNOWN, WRONG, "yes"),
    )
    yes, unknown = tally_verdicts(judge_labels(draw, checks, checker="me")).to_dicts()
    assert [yes[name] for name in ("right", "wrong", "cannot_say", "left")] == [8, 2, 1, 1]
    # Wilson's interval of 8 in 10, from the formula's source.
    assert (yes["precision"], yes["low"], yes["high"]) == pytest.approx((0.8, 0.4902, 0.9433), 1e-3)
    assert (unknown["precision"], unknown["low"], unknown["high"]) == (None, None, None)


def test_accuracy_weighs_each_value_by_how_often_it_is_given() -> None:
    """90 % of the labels are "no", of which all are right; "yes" is right half of the time."""
    no = make_draw(*((f"n{n}", "no") for n in range(10)))
    yes = make_draw(*((f"y{n}", "yes") for n in range(10)))
    checks = make_checks(
        *(say(f"n{n}", "no", RIGHT, "no") for n in range(10)),
        *(say(f"y{n}", "yes", RIGHT if n < 5 else WRONG, "yes" if n < 5 else "no")
          for n in range(10)),
    )  # fmt: skip
    tally = tally_verdicts(judge_labels(pl.concat([no, yes]), checks, checker="me"))
    (row,) = estimate_accuracy(tally, make_sizes(no=900, yes=100, unknown=50)).to_dicts()
    assert row["accuracy"] == pytest.approx(0.95)
    assert row["n"] == 20
    assert row["low"] < 0.95 < row["high"]


def test_accuracy_waits_for_every_value_and_leaves_findings_out() -> None:
    sizes = make_sizes(yes=10, no=10)
    draw = pl.concat([make_draw(("a", "yes"), ("b", "no")), make_draw(("c", "no"), draw="finding")])
    checks = make_checks(say("a", "yes", RIGHT, "yes"))
    tally = tally_verdicts(judge_labels(draw, checks, checker="me"))
    assert estimate_accuracy(tally, sizes).is_empty()
    checks = pl.concat([checks, make_checks(say("b", "no", RIGHT, "no"))])
    tally = tally_verdicts(judge_labels(draw, checks, checker="me"))
    (row,) = estimate_accuracy(tally, sizes).to_dicts()
    assert (row["n"], row["accuracy"]) == (2, 1.0)
    within = draw.with_columns(draw=pl.lit("finding"))
    tally = tally_verdicts(judge_labels(within, checks, checker="me"))
    assert tally["within_finding"].to_list() == [True, True]
    assert estimate_accuracy(tally, sizes).is_empty()


def test_more_checks_where_labels_are_worse_do_not_bias_the_precision() -> None:
    """Of 1,000 labels 900 are right nine times in ten, and 100, all checked, one time in ten."""
    by_day = [(f"d{n}", RIGHT if n % 10 else WRONG, 100 / 900) for n in range(100)]
    by_night = [(f"n{n}", WRONG if n % 10 else RIGHT, 1.0) for n in range(100)]
    rows = [*by_day, *by_night]
    checks = make_checks(
        *(say(name, "yes", word, "yes" if word == RIGHT else "no") | {"inclusion": share}
          for name, word, share in rows)
    )  # fmt: skip
    draw = make_draw(*((name, "yes") for name, _, _ in rows))
    (row,) = tally_verdicts(judge_labels(draw, checks, checker="me")).to_dicts()
    assert (row["right"], row["wrong"]) == (100, 100)
    assert row["precision"] == pytest.approx(0.82)
    assert 100 < row["effective"] < 130


def test_a_check_of_unknown_inclusion_counts_as_an_average_one() -> None:
    draw = make_draw(("a", "yes"), ("b", "yes"), ("c", "yes"))
    known = [say("a", "yes", RIGHT, "yes") | {"inclusion": 0.1},
             say("b", "yes", WRONG, "no") | {"inclusion": 0.5}]  # fmt: skip
    checks = make_checks(*known, say("c", "yes", WRONG, "no"))
    (row,) = tally_verdicts(judge_labels(draw, checks, checker="me")).to_dicts()
    assert row["precision"] == pytest.approx(10 / (10 + 2 + 6))


def test_equal_weights_change_nothing() -> None:
    draw = make_draw(*((str(n), "yes") for n in range(10)))
    plain = [say(str(n), "yes", RIGHT if n < 8 else WRONG, "yes" if n < 8 else "no")
             for n in range(10)]  # fmt: skip
    weighed = [row | {"inclusion": 0.3} for row in plain]
    one, other = (
        tally_verdicts(judge_labels(draw, make_checks(*rows), checker="me")).row(0)[-4:]
        for rows in (plain, weighed)
    )
    assert one == pytest.approx(other)
    assert one[0] == pytest.approx(10)
