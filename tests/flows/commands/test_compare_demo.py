"""The demo's detectors, trained without six groups and with them: all six mended, nothing false."""

from pathlib import Path

import pytest

from flows.commands.demo import prepare_demo, run_demo_audit
from pipeline.files.core_count import count_cores
from tests.flows.demo_comparison import compare_demo

# Two detectors are trained.
pytestmark = [pytest.mark.slow, pytest.mark.endurance, pytest.mark.timeout(2_000)]


def test_the_six_gaps_are_mended_and_nothing_false_is_said(tmp_path: Path) -> None:
    audit = prepare_demo(tmp_path, images=3000, seed=0, workers=count_cores(), balanced=True)
    run_demo_audit(audit)
    compared = compare_demo(audit)
    assert compared.mended == compared.asked
    assert len(compared.asked) == 6
    assert compared.false == ()
