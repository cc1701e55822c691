import contextlib
import io

from rich.console import Console

from flows.commands.console import open_console, print_summary
from flows.run.summary import COUNTS, Summary


def test_bins_are_printed_as_relations() -> None:
    finding = {
        "system": "finder", "n": 20, "error": 0.5, "rest_error": 0.1, "q": 0.01, "state": "likely",
        "predicates": [{"attribute": "brightness", "value": "<= 0.4"}],
    }  # fmt: skip
    console = Console(file=io.StringIO(), width=120)
    print_summary(Summary("run", {"slices": 4}, findings=(finding,)), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "brightness <= 0.4" in printed
    assert "= <=" not in printed


def test_piped_output_is_not_cut() -> None:
    """A finding of three long predicates is one line, so that grep and awk can read it."""
    names = [f"attribute_number_{number}" for number in range(3)]
    finding = {
        "system": "finder", "n": 20, "error": 0.5, "rest_error": 0.1, "q": 0.01, "state": "likely",
        "predicates": [{"attribute": name, "value": "of some length"} for name in names],
    }  # fmt: skip
    counts = dict.fromkeys(COUNTS, 123456)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_summary(Summary("run", counts, findings=(finding,)), open_console({}))
    lines = out.getvalue().splitlines()
    slice_ = " and ".join(f"{name} = of some length" for name in names)
    assert any(slice_ in line and "likely" in line for line in lines)
    assert lines[0].endswith("slices 123,456")
    with contextlib.redirect_stdout(io.StringIO()):
        assert open_console({"COLUMNS": "90"}).width == 90
    assert max(map(len, lines)) < 300  # nothing is padded to the width of the console


def test_the_p_that_confirmed_a_finding_stands_beside_it() -> None:
    finding = {
        "system": "finder", "n": 20, "error": 0.5, "rest_error": 0.1, "q": 0.13,
        "state": "confirmed", "p_family": 0.2, "holdout_n": 21, "holdout_p": 0.0031,
        "predicates": [{"attribute": "hat", "value": "yes"}],
    }  # fmt: skip
    console = Console(file=io.StringIO(), width=120)
    print_summary(Summary("run", {"slices": 4}, findings=(finding,)), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "held-out p 0.0031" in printed
    assert "0.13" not in printed
    assert "without those held out" in printed


def test_groups_that_cannot_be_judged_say_what_would_do() -> None:
    nothing = dict.fromkeys(("value", "difference", "difference_low", "difference_high"))
    small = {
        **nothing, "system": "finder", "labels": "truth", "level": 1, "n": 11, "value": 0.2,
        "adjusted_difference": None, "state": "insufficient evidence", "needed_n": 1230,
        "predicates": [{"attribute": "age", "value": "old"}],
    }  # fmt: skip
    none = small | nothing | {"n": 0, "needed_n": None}
    console = Console(file=io.StringIO(), width=120)
    print_summary(Summary("run", gaps=(small, none)), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert "insufficient evidence; 1,230 would do" in printed
    assert "empty" in printed
    assert "- to -" not in printed


def print_all(*findings: dict[str, object], **fields: object) -> str:
    console = Console(file=io.StringIO(), width=300)
    summary = Summary("run", {"slices": 4}, findings=findings, audit="my/audit.toml", **fields)  # type: ignore[arg-type]  # a table of cases
    print_summary(summary, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]  # the StringIO above


HAT: dict[str, object] = {
    "system": "finder", "rank": 2, "n": 412, "error": 0.219, "rest_error": 0.05, "q": 0.001,
    "p_family": 0.001, "state": "confirmed", "predicates": [{"attribute": "hat", "value": "yes"}],
    "corrected_error": 0.41, "corrected_low": 0.33, "corrected_high": 0.5,
    "correction": "product", "checks_needed": [],
}  # fmt: skip


def test_the_corrected_error_is_printed_beside_the_one_as_labelled() -> None:
    printed = print_all(HAT)
    assert "corrected (95 %)" in printed
    assert "0.41 (0.33 to 0.5)" in printed
    assert "check-labels" not in printed
    bounds = HAT | {"corrected_error": None, "correction": "bounds"}
    assert "0.33 to 0.5 " in print_all(bounds)
    assert "corrected" not in print_all(HAT | {"corrected_low": None, "correction": None})


def test_an_unclear_finding_says_how_many_checks_of_which_value_would_settle_it() -> None:
    needed = [{"attribute": "hat", "value": "yes", "n": 40},
              {"attribute": "hat", "value": "no", "n": 25}]  # fmt: skip
    unclear = HAT | {"state": "unclear: check labels", "checks_needed": needed}
    assert (
        "hat = yes: wrong labels leave open whether it does worse; about 40 more checks of hat = "
        "yes and 25 of hat = no would settle it: weakspot check-labels my/audit.toml --finding 2\n"
    ) in print_all(unclear)
    other = HAT | {"system": "other"}
    assert '--finding 2 --system "finder"\n' in print_all(unclear, other)


def test_findings_of_unchecked_labels_are_named() -> None:
    unchecked = HAT | {"correction": "none", "corrected_low": None}
    assert (
        "labels unchecked: hat = yes: found as labelled, which need not be so: weakspot "
        "check-labels my/audit.toml\n"
    ) in print_all(unchecked)


def test_slices_that_wrong_labels_hide_are_printed() -> None:
    hidden = {
        "system": "finder", "predicates": [{"attribute": "age", "value": "child"}],
        "label_precision": 0.31, "corrected_error": 0.653, "corrected_low": 0.531,
        "corrected_high": 0.803, "corrected_rest_error": 0.31,
    }  # fmt: skip
    printed = print_all(worth_checking=(hidden,))
    assert "Worth checking" in printed
    assert all(word in printed for word in ("age = child", "31%", "0.653 (0.531 to 0.803)"))


def test_a_gate_that_did_not_judge_says_what_to_do() -> None:
    printed = print_all(gates={"finder": "not judged: labels unchecked"})
    assert "gates: finder: not judged: labels unchecked" in printed
    assert 'my/audit.toml, or [gates] unchecked_labels = "judge"' in printed
    assert "unchecked_labels" not in print_all(gates={"finder": "pass"})


def test_groups_are_printed_with_their_corrected_gaps() -> None:
    gap = {
        "system": "finder", "labels": "predicted", "level": 1, "n": 110, "value": 0.2,
        "difference": 0.1, "difference_low": 0.05, "difference_high": 0.15, "state": "gap",
        "adjusted_difference": None, "needed_n": None, "corrected_difference": 0.22,
        "corrected_difference_low": 0.12, "corrected_difference_high": 0.3,
        "predicates": [{"attribute": "age", "value": "old"}],
    }  # fmt: skip
    assert "+0.220 (+0.120 to +0.300)" in print_all(gaps=(gap,))
    bounds = gap | {"corrected_difference": None}
    assert "+0.120 to +0.300" in print_all(gaps=(bounds,))
    assert "corrected" not in print_all(gaps=(bounds | {"corrected_difference_low": None},))
