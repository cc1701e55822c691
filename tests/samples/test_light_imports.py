"""Importing the rooms of samples and errors loads nothing heavy."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["pipeline.samples", "pipeline.errors"])
def test_a_package_loads_its_libraries_when_its_functions_are_asked_for(package: str) -> None:
    script = (
        f"import sys, {package} as package\n"
        "heavy = {'polars', 'numpy', 'PIL', 'hotcoco', 'orjson', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "functions = [getattr(package, name) for name in package.__all__]\n"
        "print(sorted({'torch', 'scipy', 'sklearn', 'prefect'} & set(sys.modules)))\n"
        "print(hasattr(package, 'no_such_name'))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert found.stdout.split("\n")[:3] == ["[]", "[]", "False"]
