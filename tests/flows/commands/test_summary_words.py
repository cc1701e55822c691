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
