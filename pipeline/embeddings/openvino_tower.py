"""The image tower of a model compiled by OpenVINO for this CPU: the same function, faster.

The tower goes from PyTorch to OpenVINO's own form through its frontend, and OpenVINO is imported
without its telemetry, which would report each import and conversion to its makers.
"""

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

from pipeline.exceptions import EncoderError
from pipeline.files.core_count import count_cores

Tower = Callable[[torch.Tensor], torch.Tensor]
LEAST_COSINE = 0.9999  # between the vectors of both, of random pixels


class _ImageTower(torch.nn.Module):
    """What `encode_image` of an open_clip model does, as a module of its own."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - open_clip is untyped
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the vectors of images."""
        vectors: torch.Tensor = self.model.encode_image(images)
        return vectors


def compile_tower(model: Any, *, edges: tuple[int, int]) -> Tower:  # noqa: ANN401 - open_clip is untyped
    """Return what computes `model.encode_image` in fp32 on this CPU; several threads may call it.

    model: in eval mode, on the CPU. edges: height and width of the images in pixels. Raises
    EncoderError when OpenVINO is not there, cannot take the model, or makes other vectors of it.
    """
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(2, 3, *edges, generator=generator)
    tower = _ImageTower(model).eval()
    try:
        compiled = _compile(tower, example)
    except ImportError as error:
        raise EncoderError(
            f'[encoder] runtime = "openvino" needs OpenVINO, which is not installed ({error}): '
            "pip install 'weakspot[openvino]', or leave runtime out"
        ) from None
    except Exception as error:  # its frontend raises any kind
        reason = str(error).strip().split("\n")[0]
        raise EncoderError(
            f"OpenVINO cannot take this model ({reason}); leave runtime out of [encoder]"
        ) from error
    with torch.inference_mode():
        cosine = torch.nn.functional.cosine_similarity(tower(example), compiled(example))
    if not bool((cosine >= LEAST_COSINE).all()):
        raise EncoderError(
            f"OpenVINO makes other vectors of this model (cosine {float(cosine.min()):.4f} with "
            f"those of PyTorch, at least {LEAST_COSINE} is asked); leave runtime out of [encoder]"
        )
    return compiled


@contextlib.contextmanager
def _without_telemetry() -> Iterator[None]:
    """Let the import of `openvino_telemetry` fail inside: OpenVINO then uses a stub of its own."""
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # as importlib documents
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


def _compile(tower: torch.nn.Module, example: torch.Tensor) -> Tower:
    with _without_telemetry():
        import openvino
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of tracing; the vectors are compared after it
        decoder = TorchScriptPythonDecoder(tower, example_input=(example,))
        converted = frontend.convert(frontend.load(decoder))
    converted.reshape([-1, 3, *example.shape[2:]])
    compiled = openvino.Core().compile_model(
        converted,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": count_cores(),
            "NUM_STREAMS": count_cores(),  # each worker computes a batch of its own on one core
        },
    )
    own = threading.local()

    def infer(images: torch.Tensor) -> torch.Tensor:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        values = own.request.infer({0: images.contiguous().numpy()})[0]
        return torch.from_numpy(values.copy())

    return infer
