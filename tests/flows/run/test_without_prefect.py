"""`--no-prefect`: the same run in one process, without Prefect or a server."""

import pytest

from tests.flows.command import watch_python
from tests.flows.small_audit import SmallAudit

SCRIPT = """\
import sys
from flows.commands.app import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code
heavy = {name.split(".")[0] for name in sys.modules} & {"prefect", "torch", "open_clip"}
assert not heavy, heavy
"""


@pytest.mark.slow
def test_a_stage_without_prefect_imports_none_of_it_and_starts_no_server(
    small_audit: SmallAudit,
) -> None:
    config = str(small_audit.config)
    told, processes = watch_python(
        ["-m", "flows.commands.app", "run", config, "--no-prefect", "--json"],
        folder=small_audit.folder,
    )
    assert told.code == 0, told.err
    assert len(processes) == 1
    assert '"report": "' in told.out
    assert "Prefect" not in told.err
    script = small_audit.folder / "script.py"
    script.write_text(SCRIPT)
    for stage in ("label", "find", "report"):
        (small_audit.folder / "watch").rename(small_audit.folder / f"watched before {stage}")
        told, _ = watch_python(
            [str(script), stage, config, "--no-prefect"], folder=small_audit.folder
        )
        assert told.code == 0, told.err


def test_every_stage_has_the_option() -> None:
    import typer.main

    from flows.commands.app import app

    commands = getattr(typer.main.get_command(app), "commands", {})
    for name in ("run", "embed", "label", "score", "find", "fairness", "report"):
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert "--no-prefect" in options
