import io

from rich.console import Console

from flows.summary import Summary, print_summary


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
