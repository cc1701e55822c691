"""The program in docs/page.md, run against a real server."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from pipeline.workspace.kept.kept_selections import SelectionJournal
from tests.flows.api.browse_examples import copy_workspace
from tests.flows.api.browse_served import serve_folder
from tests.flows.retrieval.planted_workspace import COUNT

PAGE = Path(__file__).parents[3] / "docs" / "page.md"


@pytest.mark.slow
def test_the_program_of_the_docs_saves_what_it_lists(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    store = copy_workspace(tmp_path)
    with serve_folder(store.folder) as served:
        program = found[1].replace("http://127.0.0.1:8300", served.address.rstrip("/"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, str(PAGE), "exec"), {})  # noqa: S102 - our own docs
    dark = range(0, COUNT, 3)
    assert printed.getvalue().startswith(f"{len(dark)} samples are saved")
    saved = SelectionJournal(store.folder).read()
    assert [(one.name, one.picked) for one in saved] == [("dark-ones", len(dark))]
    rows = Path(saved[0].labels or "").read_text(encoding="utf-8").splitlines()
    yes = [row.split(",")[0] for row in rows if row.endswith(",yes")]
    assert yes == [f"s{n:03}" for n in dark]
