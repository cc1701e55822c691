"""The journal of checks: what is answered survives, is undone and replaced, and torn lines go."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from pipeline.workspace.journals.journal_lines import Answer, Stratum
from pipeline.workspace.kept.kept_checks import Journal, read_checks


def answer(
    sample_id: str,
    value: str = "yes",
    *,
    checker: str = "a",
    draw: Literal["value", "finding", "imported"] = "value",
    inclusion: float | None = None,
) -> Answer:
    return Answer(
        sample_id=sample_id, attribute="hat", shown="yes",
        answer="right" if value == "yes" else "wrong", value=value, checker=checker,
        checked_at="2026-01-01T00:00:00+00:00", draw=draw, inclusion=inclusion,
    )  # fmt: skip


def list_values(folder: Path) -> list[tuple[str, str, str]]:
    return list(read_checks(folder).select("checker", "sample_id", "value").iter_rows())


def stratum(
    *drawn: str,
    size: int,
    draw: Literal["value", "finding"] = "value",
    before: tuple[str, ...] = (),
) -> Stratum:
    asked = tuple(name for name in drawn if name not in before)
    return Stratum(
        draw=draw, attribute="hat", shown="yes", size=size, drawn=drawn, asked=asked, seed=0
    )


def test_a_workspace_without_a_journal_has_no_checks(tmp_path: Path) -> None:
    assert read_checks(tmp_path).height == 0
    assert Journal(tmp_path).undo("a") is None


def test_a_later_answer_of_the_same_checker_replaces_the_earlier_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append_all([answer("1"), answer("2"), answer("1", "no"), answer("1", checker="b")])
    assert list_values(tmp_path) == [("a", "2", "yes"), ("a", "1", "no"), ("b", "1", "yes")]


def test_undo_takes_back_the_last_answer_of_that_checker_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append_all([answer("1"), answer("2"), answer("1", "no"), answer("3", checker="b")])
    taken = [journal.undo("a") for _ in range(4)]
    assert [one and (one.sample_id, one.value) for one in taken] == [
        ("1", "no"), ("2", "yes"), ("1", "yes"), None,
    ]  # fmt: skip
    assert list_values(tmp_path) == [("b", "3", "yes")]


def test_a_torn_last_line_is_left_out_and_said_and_the_next_answer_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append_all([answer("1"), answer("2")])
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-20])
    assert list_values(tmp_path) == [("a", "1", "yes")]
    assert len(journal.replay().faults) == 1
    assert journal.replay().faults[0].startswith("line 2 is left out")
    journal.append(answer("3"))
    assert list_values(tmp_path) == [("a", "1", "yes"), ("a", "3", "yes")]


def test_every_way_to_tear_the_last_line_leaves_the_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(answer("1"))
    whole = journal.path.read_bytes()
    journal.append(answer("2"))
    both = journal.path.read_bytes()
    for end in range(len(whole), len(both) - 1):
        journal.path.write_bytes(both[:end])
        assert list_values(tmp_path) == [("a", "1", "yes")]
    journal.path.write_bytes(both[:-1])  # whole but for its end of line
    assert len(list_values(tmp_path)) == 2
    journal.append(answer("3"))
    assert len(list_values(tmp_path)) == 3


def test_inclusion_counts_the_answers_of_what_was_drawn(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note_strata([stratum("1", "2", "3", "4", size=40)])
    journal.append_all([answer("1"), answer("2"), answer("3", "no")])
    assert journal.read()["inclusion"].to_list() == [3 / 40] * 3


def test_a_later_draw_raises_the_inclusion_of_earlier_answers(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note_strata([stratum("1", "2", size=40)])
    journal.append_all([answer("1"), answer("2")])
    journal.note_strata([stratum("1", "2", "3", "4", size=40, before=("1", "2"))])
    journal.append_all([answer("3"), answer("4")])
    assert journal.read()["inclusion"].to_list() == [4 / 40] * 4


def test_samples_of_a_finding_have_the_larger_of_two_inclusions(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note_strata([stratum("1", "2", size=40)])
    journal.append_all([answer("1"), answer("2")])
    journal.note_strata([stratum("2", "5", size=4, draw="finding", before=("2",))])
    assert journal.read()["inclusion"].to_list() == [0.05, 0.05]  # none was answered for it yet
    journal.append(answer("5", draw="finding"))
    rows = journal.read().select("sample_id", "inclusion", "draw").rows()
    assert rows == [("1", 0.05, "value"), ("2", 0.5, "finding"), ("5", 0.5, "finding")]


def test_imported_answers_have_the_inclusion_of_their_file_unless_they_were_drawn(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    journal.note_strata([stratum("1", size=4)])
    for sample_id, inclusion in (("1", None), ("2", 0.1), ("3", None)):
        journal.append(answer(sample_id, draw="imported", inclusion=inclusion))
    rows = journal.read().select("inclusion", "draw").rows()
    assert rows == [(0.25, "value"), (0.1, "imported"), (None, "imported")]


def test_what_a_finding_asks_does_not_extend_an_unfinished_draw_of_the_label(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    journal.note_strata([stratum("1", "2", "3", "4", size=40)])
    journal.append_all([answer("1"), answer("2")])  # "3" and "4" are never shown for this draw
    journal.note_strata([stratum("2", "4", size=5, draw="finding", before=("2",))])
    journal.append(answer("4", draw="finding"))
    rows = journal.read().select("sample_id", "inclusion").rows()
    assert rows == [("1", 2 / 40), ("2", 2 / 5), ("4", 2 / 5)]


def test_several_writers_at_a_time_leave_whole_lines(tmp_path: Path) -> None:
    def write(checker: str) -> None:
        journal = Journal(tmp_path)
        for number in range(10):
            journal.append(answer(str(number), checker=checker))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert read_checks(tmp_path).height == 40
    assert Journal(tmp_path).list_faults() == ()
