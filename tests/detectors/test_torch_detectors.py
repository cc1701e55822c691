"""Detectors of torchvision and transformers: tiny, random or injected; nothing is downloaded."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torchvision.models import get_model

from pipeline.detectors.load import load_detector
from pipeline.detectors.torchvision_detector import TorchvisionDetector
from pipeline.detectors.transformers_detector import TransformersDetector
from pipeline.exceptions import ConfigError
from pipeline.images.decode import ImageRejectedError

IMAGE = Image.new("RGB", (40, 20), "white")
BOXES = torch.tensor([[0.0, 0.0, 5.0, 5.0], [1.0, 2.0, 11.0, 22.0], [0.0, 0.0, 9.0, 9.0]])
SCORES = torch.tensor([0.4, 0.9, 0.1])
LABELS = torch.tensor([2, 1, 1])
SEEN = [("person", 1, 2, 10, 20), ("dog", 0, 0, 5, 5)]  # by falling score, without the weakest
MODEL = "ssdlite320_mobilenet_v3_large"


class Fixed(torch.nn.Module):
    """A model of torchvision's shape whose answer is known."""

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        (image,) = images
        assert image.shape == (3, 20, 40)
        assert image.min() == image.max() == 1
        return [{"boxes": BOXES, "labels": LABELS, "scores": SCORES}]


class Failing(torch.nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, _images: object) -> object:
        raise self.error


def test_what_torchvision_gives_becomes_boxes_by_falling_score() -> None:
    detector = TorchvisionDetector("t", Fixed(), ["background", "person", "dog"], detector_id="1")
    found = detector.detect(IMAGE)
    assert [one[:5] for one in found] == SEEN
    assert [one.score for one in found] == pytest.approx([0.9, 0.4])


def test_an_image_that_the_model_refuses_is_rejected() -> None:
    model = Failing(RuntimeError("too small"))
    detector = TorchvisionDetector("t", model, ["background"], detector_id="1")
    with pytest.raises(ImageRejectedError, match="too small"):
        detector.detect(IMAGE)


def test_a_model_that_does_not_fit_into_memory_is_no_fault_of_the_image() -> None:
    model = Failing(torch.OutOfMemoryError("CUDA out of memory"))
    detector = TorchvisionDetector("t", model, ["background"], detector_id="1")
    with pytest.raises(ConfigError, match="choose a smaller model"):
        detector.detect(IMAGE)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write random weights of a detector with two classes and the background."""
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.manual_seed(0)
    model = get_model(MODEL, weights=None, weights_backbone=None, num_classes=3)
    torch.save(model.state_dict(), path)
    path.with_suffix(".txt").write_text("background\ncat\ndog\n")
    return path


@pytest.mark.slow
def test_a_weights_file_is_loaded_with_the_names_beside_it(weights: Path) -> None:
    detector = load_detector(f"torchvision:{MODEL}:{weights}")
    assert {one.category for one in detector.detect(IMAGE)} <= {"background", "cat", "dog"}
    assert detector.detector_id == load_detector(f"torchvision:{MODEL}:{weights}").detector_id


@pytest.mark.slow
def test_other_names_or_weights_are_another_detector(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine.pth"
    other.write_bytes(weights.read_bytes())
    other.with_suffix(".txt").write_text("background\ndog\ncat\n")
    one, two = (load_detector(f"torchvision:{MODEL}:{path}") for path in (weights, other))
    assert one.detector_id != two.detector_id


@pytest.mark.slow
def test_weights_of_another_number_of_classes_are_reported(weights: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.pth"
    bare.write_bytes(weights.read_bytes())
    with pytest.raises(ConfigError, match=r"does not fit the model.*bare\.txt"):
        load_detector(f"torchvision:{MODEL}:{bare}")


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02}q\x00."])
def test_a_file_that_holds_no_weights_is_reported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk.pth"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"junk\.pth"):
        load_detector(f"torchvision:{MODEL}:{path}")


def test_weights_that_are_not_at_hand_are_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="never downloaded"):
        load_detector("torchvision:fasterrcnn_resnet50_fpn_v2")
    assert list(tmp_path.rglob("*.pth")) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hog", "those known are yunet-faces, hog-people"),
        ("", "those known are"),
        ("torchvision:", "those known are"),
        ("torchvision:resnet50", "no such detector"),
        ("torchvision:fasterrcnn_resnet50", "fasterrcnn_resnet50_fpn"),
        ("transformers:nowhere", "config.json"),
    ],
)
def test_an_unknown_name_is_reported_with_those_known(name: str, shown: str) -> None:
    with pytest.raises(ConfigError, match=shown):
        load_detector(name)


class Inputs(dict[str, torch.Tensor]):
    def to(self, _device: str) -> "Inputs":
        return self


class Processor:
    """An image processor of transformers' shape."""

    def __call__(self, *, images: Image.Image, return_tensors: str) -> Inputs:
        assert return_tensors == "pt"
        return Inputs(pixel_values=torch.zeros(1, 3, images.height, images.width))

    def post_process_object_detection(
        self, outputs: torch.Tensor, *, threshold: float, target_sizes: list[tuple[int, int]]
    ) -> list[dict[str, torch.Tensor]]:
        assert outputs.shape[2:] == target_sizes[0] == (20, 40)
        keep = threshold <= SCORES
        return [{"boxes": BOXES[keep], "labels": LABELS[keep], "scores": SCORES[keep]}]


class Echo(torch.nn.Module):
    config = SimpleNamespace(id2label={1: "person", 2: "dog"})

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return pixel_values


def test_what_transformers_gives_becomes_boxes_by_falling_score() -> None:
    detector = TransformersDetector("t", Echo(), Processor(), detector_id="1")
    assert [one[:5] for one in detector.detect(IMAGE)] == SEEN


def test_a_saved_model_of_transformers_is_loaded_from_its_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=[32, 32], patch_size=16, num_detection_tokens=4, num_labels=2,
    )  # fmt: skip
    transformers.YolosForObjectDetection(config).save_pretrained(tmp_path)
    size = {"shortest_edge": 32, "longest_edge": 32}
    transformers.YolosImageProcessor(size=size).save_pretrained(tmp_path)
    detector = load_detector(f"transformers:{tmp_path}")
    assert all(one.w >= 0 for one in detector.detect(IMAGE))
    assert detector.detector_id == load_detector(f"transformers:{tmp_path}").detector_id
