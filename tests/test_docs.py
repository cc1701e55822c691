"""What CONTRIBUTING, CHANGELOG and docs/ name exists; the tables they list are all tables."""

import re
from pathlib import Path

import pytest

from flows.commands.exports.export import list_tables

ROOT = Path(__file__).parents[1]
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md")))
}
CONTRIBUTING, ARCHITECTURE = FILES["CONTRIBUTING.md"], FILES["docs/architecture.md"]
TOP = ("attributes/", "docs/", "flows/", "pipeline/", "reports/", "tests/")


def list_spans(text: str) -> list[str]:
    """Return the inline code of a page."""
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", bare)


def list_paths(text: str) -> set[str]:
    """Return the paths of this repository in the inline code; those with NAME are examples."""
    return {s for s in list_spans(text) if re.fullmatch(r"[a-z0-9_./-]+", s) and s.startswith(TOP)}


def test_paths_are_seen() -> None:
    assert min(len(list_paths(text)) for text in (CONTRIBUTING, ARCHITECTURE)) > 10
    assert list_paths("`tests/none.py` and `pipeline/NAME.py`, `make demo`") == {"tests/none.py"}


@pytest.mark.parametrize("name", FILES)
def test_every_path_that_is_named_exists(name: str) -> None:
    paths = list_paths(FILES[name])
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", FILES)
def test_every_link_leads_to_a_file(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", FILES[name])
    own = [link for link in links if "://" not in link]
    assert [link for link in own if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_every_target_of_make_that_contributors_are_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = {span.split()[1] for span in list_spans(CONTRIBUTING) if span.startswith("make ")}
    assert {"check", "test", "test-fast", "fuzz", "bench"} <= shown
    assert shown <= set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))


def test_every_way_to_add_something_has_six_steps_at_most() -> None:
    sections = re.split(r"^## ", CONTRIBUTING, flags=re.MULTILINE)
    steps = {
        section.splitlines()[0]: len(re.findall(r"^\d\. ", section, flags=re.MULTILINE))
        for section in sections
        if section.startswith("Add ")
    }
    assert len(steps) >= 5
    assert {name: count for name, count in steps.items() if count > 6} == {}


def test_the_table_of_tables_lists_all_that_can_be_exported() -> None:
    section = ARCHITECTURE.split("\n## Tables\n")[1].split("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert listed == set(list_tables())


def test_every_room_is_described() -> None:
    rooms = {f"`pipeline/{path.parent.name}/`" for path in ROOT.glob("pipeline/*/__init__.py")}
    rooms -= {f"`pipeline/{name}/`" for name in ("config", "files", "images", "statistics")}
    assert len(rooms) >= 10
    assert [room for room in sorted(rooms) if room not in ARCHITECTURE] == []


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^### (.+)$", FILES["CHANGELOG.md"], flags=re.MULTILINE)
    assert headings
    assert set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_nothing_is_left_to_be_filled_in() -> None:
    unfinished = {name: re.findall(r"@@\w*|TODO|FIXME", text) for name, text in FILES.items()}
    assert {name: found for name, found in unfinished.items() if found} == {}
