"""What the README tells to type exists and works; what exists is told."""

import contextlib
import io
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from flows.commands.app import app
from tests.flows.command import call

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/*.md"))}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# Commands that need neither a model nor a server nor images of the reader's.
LIGHT = {("init",), ("attributes", "list"), ("attributes", "check"), ("doctor",), ()}


def read_blocks(*languages: str) -> list[str]:
    """Return the fenced blocks of the README in these languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def read_commands(first: str) -> list[list[str]]:
    """Return the words of the commands in console blocks that begin with `first`.

    Where a block has prompts, the lines without one are output.
    """
    commands = []
    for block in read_blocks("console", "sh", "bash", "shell"):
        lines = block.replace("\\\n", " ").splitlines()
        if any(line.startswith("$ ") for line in lines):
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        words = [shlex.split(line, comments=True) for line in lines]
        commands += [line for line in words if line and Path(line[0]).name == first]
    return commands


def read_spans() -> list[str]:
    """Return the inline code of the README."""
    bare = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", bare)


@cache
def list_commands() -> dict[tuple[str, ...], set[str]]:
    """Return the options of every command, by its words; () is `weakspot` itself."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], set[str]]]:
        options = {opt for p in command.params for opt in (*p.opts, *p.secondary_opts)}
        yield words, {opt for opt in options if opt.startswith("-")} | {"-h", "--help"}
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*words, name))

    return dict(walk(typer.main.get_command(app), ()))


def list_leaves() -> list[tuple[str, ...]]:
    every = list_commands()
    return [w for w in every if not any(o != w and o[: len(w)] == w for o in every)]


def split_command(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the longest known command that `words` begin with, and the words after it."""
    known = list_commands()
    end = max(n for n in range(len(words) + 1) if tuple(words[:n]) in known)
    return tuple(words[:end]), words[end:]


def find_faults(words: list[str]) -> list[str]:
    """Return what is not known about `words`, which follow `weakspot`."""
    command, rest = split_command(words)
    faults = []
    has_children = any(
        len(o) > len(command) and o[: len(command)] == command for o in list_commands()
    )
    if has_children and rest and not rest[0].startswith("-"):
        faults.append(f"no command {rest[0]!r} in weakspot {' '.join(command)}")
    options = [word.split("=")[0] for word in rest if word.startswith("-") and word != "-"]
    faults += [
        f"no option {option} of weakspot {' '.join(command)}"
        for option in options
        if option not in list_commands()[command]
    ]
    return faults


def test_the_checks_can_fail() -> None:
    assert find_faults(["run", "audit.toml", "--dry-run"]) == []
    assert find_faults(["run", "audit.toml", "--dry"]) == ["no option --dry of weakspot run"]
    assert find_faults(["walk", "audit.toml"]) == ["no command 'walk' in weakspot "]
    assert find_faults(["attributes", "lint"]) == ["no command 'lint' in weakspot attributes"]


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    shown = [command[1:] for command in read_commands("weakspot")]
    assert len(shown) >= 2
    spans = [shlex.split(span)[1:] for span in read_spans() if span.startswith("weakspot ")]
    assert [fault for words in [*shown, *spans] for fault in find_faults(words)] == []


def test_every_option_that_is_named_is_one_of_some_command() -> None:
    known = set().union(*list_commands().values())
    named = {span.split()[0].split("=")[0] for span in read_spans() if span.startswith("--")}
    assert named - known == set()


@pytest.mark.parametrize("command", list_leaves(), ids=" ".join)
def test_every_command_is_documented(command: tuple[str, ...]) -> None:
    words = " ".join(("weakspot", *command))
    told = [name for name, text in {"README.md": README, **DOCS}.items()
            if re.search(rf"{re.escape(words)}\b", text)]  # fmt: skip
    assert told, f"write a line on `{words}`"


def test_every_target_of_make_exists_and_runs_a_module_that_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, flags=re.MULTILINE))
    asked = {word for command in read_commands("make") for word in command[1:] if "=" not in word}
    asked |= {span.split()[1] for span in read_spans() if re.match(r"make [\w-]+", span)}
    assert {"demo", "test"} <= asked <= targets
    modules = re.findall(r"python -m ((?:tests|pipeline|flows)[\w.]*)", MAKEFILE)
    paths = [ROOT / name.replace(".", "/") for name in modules]
    assert [p for p in paths if not p.with_suffix(".py").exists() and not p.is_dir()] == []


def test_what_needs_no_model_works_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = []
    for _, *words in read_commands("weakspot"):
        command, _rest = split_command(words)
        if command in LIGHT:
            told = call(*words)
            assert told.code == 0, f"weakspot {' '.join(words)}: {told.out}{told.err}"
            ran.append(command)
    assert ("init",) in ran


@pytest.mark.parametrize("number", range(len(read_blocks("python"))))
def test_python_that_is_shown_runs(number: int) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(read_blocks("python")[number], "README.md", "exec"), {})  # noqa: S102 - our own README
    assert printed.getvalue() or "print(" not in read_blocks("python")[number]


def test_toml_that_is_shown_is_toml() -> None:
    for block in read_blocks("toml"):
        assert tomllib.loads(block)


def test_links_and_pictures_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", README)
    own = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert own
    assert [link for link in own if not (ROOT / link).exists()] == []


def test_a_machine_without_a_gpu_has_an_install_line_of_its_own() -> None:
    """It must carry no address: those of torch's builds change, and uv knows them."""
    lines = [words for name in ("uv", "pip") for words in read_commands(name)]
    assert any("--torch-backend=cpu" in words and words[-1] == "." for words in lines)
    assert not any("://" in word for words in lines for word in words)


def test_it_is_finished_and_wears_three_badges_at_most() -> None:
    assert re.findall(r"@@\w*|TODO|FIXME|XXX", README) == []
    assert README.count("[![") + README.count("img.shields.io") <= 3
