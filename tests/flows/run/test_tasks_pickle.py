"""Tasks can run elsewhere: their functions, arguments and results are values that pickle."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from PIL import Image

from flows.run.audit import execute_audit
from flows.run.runner import DirectRunner
from flows.stages.detect import detect_objects
from flows.stages.read_text import make_texts
from flows.stages.samples import make_samples
from pipeline.detectors.detector import Detection
from pipeline.texts.reader import ReadText
from tests.flows.direct import open_audit
from tests.flows.small_audit import SmallAudit

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class PicklingRunner(DirectRunner):
    """Calls each task with copies that were pickled, as another process would get them."""

    called: list[str] = field(default_factory=list)

    def run_task(self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        self.called.append(task.__name__)
        sent = pickle.dumps((task, arguments, options))
        its_task, its_arguments, its_options = pickle.loads(sent)  # noqa: S301 - our own bytes
        result: R = pickle.loads(pickle.dumps(its_task(*its_arguments, **its_options)))  # noqa: S301 - our own bytes
        return result


class SeesOne:
    """Sees one thing in every image."""

    name = "one"
    detector_id = "1" * 16

    def detect(self, _image: Image.Image) -> list[Detection]:
        return [Detection("thing", 1, 1, 12, 12, 0.9)]


class ReadsOne:
    """Reads one line in every image."""

    reader_id = "2" * 16

    def read(self, _image: Image.Image) -> list[ReadText]:
        return [ReadText("exit", 0.9, 1, 1, 5, 2)]


def load_detector(_name: str) -> SeesOne:
    return SeesOne()


def load_reader() -> ReadsOne:
    return ReadsOne()


@pytest.mark.slow
def test_a_whole_audit_runs_on_pickled_tasks(small_audit: SmallAudit) -> None:
    with small_audit.config.open("a") as file:
        file.write('[fairness]\nattributes = ["tone"]\n')
    runner = PicklingRunner()
    summary = execute_audit(small_audit.config, runner)
    expected = ["embed_shard", "encode_prompts", "label_block", "score_sample_set"]
    assert runner.called == [*expected, "search_table", "correct_findings", "measure_groups"]
    assert summary.findings[0]["state"] == "confirmed"


def write_configured(folder: Path, extra: str, attribute: str) -> Path:
    (folder / "images").mkdir()
    for number in range(3):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(folder / "images" / f"{number}.png")
    (folder / "errors.csv").write_text("path,loss\n")
    config = folder / "audit.toml"
    config.write_text(
        f'name = "a"\n[dataset]\nformat = "folder"\nimages = "images"\n{extra}'
        f'[attributes]\nuse = ["{attribute}"]\n[[systems]]\nname = "s"\nformat = "table"\n'
        'predictions = "errors.csv"\nerror = "loss"\n'
    )
    return config


def test_detecting_runs_on_pickled_tasks(tmp_path: Path) -> None:
    boxes = 'sample = "object"\n[dataset.boxes]\ndetector = "one"\n'
    resolved, store = open_audit(write_configured(tmp_path, boxes, "object/height"))
    runner = PicklingRunner()
    found = detect_objects(resolved, store, load=load_detector, run_tasks=runner.run_tasks)
    assert runner.called == ["detect_shard"]
    assert found.detections.height == 3


@pytest.mark.parametrize("again", [False, True])
def test_reading_text_runs_on_pickled_tasks(tmp_path: Path, *, again: bool) -> None:
    resolved, store = open_audit(write_configured(tmp_path, "", "image/text"))
    make_samples(resolved, store)
    runner = PicklingRunner()
    for _ in range(1 + again):
        make_texts(resolved, store, load=load_reader, run_tasks=runner.run_tasks)
    assert runner.called == ["read_text_shard"]
