"""Reading samples and scoring errors loads no library that only models or flows need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["pipeline.samples.read", "pipeline.errors.score"])
def test_a_room_does_not_load_what_only_models_or_flows_need(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "print(sorted({'torch', 'scipy', 'sklearn', 'prefect', 'duckdb'} & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert found.stdout == "[]\n"
