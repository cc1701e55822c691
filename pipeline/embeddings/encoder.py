"""The image-text model: open_clip through its own factory, preprocessing and tokenizer."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from huggingface_hub import constants as hub
from PIL import Image
from torchvision.transforms import Compose

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.allocator import keep_freed_memory
from pipeline.embeddings.batches import Pixels, VectorArray, encode_in_batches
from pipeline.embeddings.card import EncoderCard, name_masked, spec_key, weights_stamp
from pipeline.embeddings.context import find_fitting
from pipeline.embeddings.device import choose_device, choose_dtype
from pipeline.embeddings.feature_maps import take_maps
from pipeline.embeddings.folding import find_edges, fold_image_tower
from pipeline.embeddings.loading_errors import explain_failure, name_nearest
from pipeline.embeddings.openvino_tower import Tower, compile_tower
from pipeline.embeddings.preprocessing import split_preprocessing
from pipeline.embeddings.resampling import Prepare, replace_interpolation
from pipeline.exceptions import EncoderError

# Images of one forward on a CPU: larger activations leave its caches (make bench shows it).
CPU_BATCH = 16
TEXT_BATCH = 256

_log = logging.getLogger("weakspot.encoder")


class OpenClipEncoder:
    """An open_clip model on the best device of this machine; made by `load_encoder`."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - open_clip is untyped
        preprocess: Compose,
        tokenizer: Any,  # noqa: ANN401 - open_clip is untyped
        *,
        card: EncoderCard,
        batch_size: int,
        device: torch.device,
        dtype: torch.dtype,
        tower: Tower | None = None,
    ) -> None:
        self.card = card
        self.in_workers = device.type == "cpu"
        self._model, self._tokenizer = model, tokenizer
        self._tower: Tower = tower or model.encode_image
        self._batch_size, self._device, self._dtype = batch_size, device, dtype
        self._geometry, self._scale = split_preprocessing(preprocess, device)
        self._threads = threading.local()

    @property
    def encoder_id(self) -> str:
        """Hash of architecture, weights, preprocessing and precision."""
        return self.card.encoder_id

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.card.dim

    @property
    def logit_scale(self) -> float:
        """Factor on a cosine before the softmax."""
        return self.card.logit_scale

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize and cut an RGB image as open_clip does; bytes, (h, w, 3), scaled in the batch."""
        return np.asarray(self._geometry(image))

    def prepare_by(self, interpolation: str) -> Prepare:
        """Return `prepare` with another interpolation: nearest, bilinear, bicubic or lanczos."""
        geometry = Compose(replace_interpolation(self._geometry.transforms, interpolation))
        return lambda image: np.asarray(geometry(image))

    def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
        """Encode stacked results of `prepare`, (n, ...) -> (n, d) float32, of unit length.

        Halves the batch when memory runs out, and stays there. Raises EncoderError if a single
        image does not fit.
        """
        self._use_one_thread_in_workers()
        limit = min(batch_size, self._batch_size, CPU_BATCH if self.in_workers else batch_size)
        return encode_in_batches(
            self._forward, pixels, batch_size=limit, dim=self.dim, on_halved=self._note_halved
        )

    def encode_images(self, images: Sequence[Image.Image]) -> VectorArray:
        """Prepare and encode a few RGB images, (n, d) float32."""
        if not images:
            return np.zeros((0, self.dim), dtype=np.float32)
        pixels = np.stack([self.prepare(image) for image in images])
        return self.encode_pixels(pixels, batch_size=self._batch_size)

    def encode_texts(self, texts: Sequence[str]) -> VectorArray:
        """Encode prompts, (m, d) float32, of unit length."""
        tokens = self._tokenizer(list(texts)).numpy() if texts else np.zeros((0, 1), dtype=np.int64)
        return encode_in_batches(
            self._forward_texts,
            tokens,
            batch_size=TEXT_BATCH,
            dim=self.dim,
            on_halved=lambda size: _log.warning("out of memory: %d prompts at a time", size),
        )

    def find_fitting(self, texts: Sequence[str]) -> list[bool]:
        """Return whether each text is read to its end; encode_texts cuts what is longer."""
        return find_fitting(self._tokenizer, texts)

    def encode_maps(self, pixels: Pixels) -> VectorArray:
        """Return the last feature maps of stacked results of `prepare`, (n, h, w, c) float32.

        Raises EncoderError for an image tower of which no maps are known.
        """
        self._use_one_thread_in_workers()
        with torch.inference_mode(), self._autocast():
            maps = take_maps(self._model.visual, self._to_batch(pixels))
            return maps.float().cpu().numpy()

    def _to_batch(self, pixels: Pixels) -> torch.Tensor:
        batch = self._scale(torch.from_numpy(pixels).to(self._device))
        return batch.contiguous(memory_format=torch.channels_last)

    def _forward(self, pixels: Pixels) -> VectorArray:
        with torch.inference_mode(), self._autocast():
            return _to_unit(self._tower(self._to_batch(pixels)))

    def _forward_texts(self, tokens: Pixels) -> VectorArray:
        with torch.inference_mode(), self._autocast():
            return _to_unit(self._model.encode_text(torch.from_numpy(tokens).to(self._device)))

    def _autocast(self) -> torch.autocast:
        half = self._dtype != torch.float32
        return torch.autocast(self._device.type, dtype=self._dtype if half else None, enabled=half)

    def _note_halved(self, size: int) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._batch_size = min(self._batch_size, size)
        _log.warning("out of memory: the batch is halved to %d images", size)

    def _use_one_thread_in_workers(self) -> None:
        """Run one kernel thread a worker: a team waiting for a core that decodes costs far more."""
        worker = threading.current_thread() is not threading.main_thread()
        if self.in_workers and worker and not getattr(self._threads, "single", False):
            torch.set_num_threads(1)
            self._threads.single = True


def load_encoder(config: EncoderConfig) -> OpenClipEncoder:
    """Load the model that `config` names onto the best device: CUDA, else Apple's, else the CPU.

    Nothing is downloaded if the weights are in a folder or in the hub's cache. Raises EncoderError
    if the model is unknown, or its weights cannot be found or read.
    """
    _check_names(config)
    device = choose_device(config)
    if device.type == "cpu":
        keep_freed_memory()
    dtype = choose_dtype(config.precision, device)
    model, preprocess = _create_model(config)
    encoder_id = _identify(model, config)
    if config.text == "mask":
        encoder_id = name_masked(encoder_id)
    model = model.eval().to(device).to(memory_format=torch.channels_last)
    model.requires_grad_(requires_grad=False)
    fold_image_tower(model, device)
    tokenizer = _retry_online(lambda: open_clip.get_tokenizer(config.model), config)
    with torch.inference_mode():
        dim = int(model.encode_text(tokenizer(["a"]).to(device)).shape[-1])
    tower = None
    if config.runtime == "openvino":
        tower = compile_tower(model, edges=find_edges(model.visual))
    bias = getattr(model, "logit_bias", None)
    card = EncoderCard(
        spec_key=spec_key(config),
        stamp=weights_stamp(config),
        encoder_id=encoder_id,
        dim=dim,
        logit_scale=float(model.logit_scale.float().exp()),
        logit_bias=0.0 if bias is None else float(bias.float()),
    )
    return OpenClipEncoder(
        model,
        preprocess,
        tokenizer,
        card=card,
        batch_size=config.batch_size,
        device=device,
        dtype=dtype,
        tower=tower,
    )


def _create_model(config: EncoderConfig) -> tuple[Any, Compose]:
    """Create the model in fp32, also from weights stored in fewer bits."""
    model, _, preprocess = _retry_online(
        lambda: open_clip.create_model_and_transforms(
            config.model,
            pretrained=config.pretrained,
            precision="fp32",
            device="cpu",
            require_pretrained=True,
        ),
        config,
    )
    return model.float(), preprocess


def _retry_online(create: Callable[[], Any], config: EncoderConfig) -> Any:  # noqa: ANN401 - untyped
    """Create from what is on this machine; ask the network only if that is not enough."""
    local = config.model.startswith("local-dir:")
    try:
        with _hub_offline():
            return create()
    except Exception as first:
        if local or hub.HF_HUB_OFFLINE:
            raise explain_failure(config, first) from first
    try:
        return create()
    except Exception as error:
        raise explain_failure(config, error) from error


@contextmanager
def _hub_offline() -> Iterator[None]:
    before = hub.HF_HUB_OFFLINE
    hub.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        hub.HF_HUB_OFFLINE = before


def _check_names(config: EncoderConfig) -> None:
    """Raise EncoderError with the nearest known names if model or weights are not known."""
    name, weights = config.model, config.pretrained
    if name.startswith(("local-dir:", "hf-hub:")):
        return
    known = open_clip.list_models()
    name = name.replace("/", "-")  # as open_clip does
    if name not in known:
        raise EncoderError(
            f"encoder model {name!r} is not known to open_clip{name_nearest(name, known)}; "
            'local weights are named "local-dir:FOLDER", those of a hub "hf-hub:ORG/NAME"'
        )
    if not weights or open_clip.get_pretrained_cfg(name, weights) or Path(weights).is_file():
        return
    tags = open_clip.list_pretrained_tags_by_model(name)
    raise EncoderError(
        f"encoder weights {weights!r} are not known for {name}{name_nearest(weights, tags)}; "
        f"known: {', '.join(tags)}"
    )


def _identify(model: Any, config: EncoderConfig) -> str:  # noqa: ANN401 - open_clip is untyped
    """Hash what decides a vector; where the files lie does not."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        weights.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        weights.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy())
    dtype = str(choose_dtype(config.precision, choose_device(config))).removeprefix("torch.")
    hosted = config.model.startswith(("local-dir:", "hf-hub:"))
    name = config.model if hosted else config.model.replace("/", "-")  # as open_clip does
    parts = {
        "architecture": _retry_online(lambda: open_clip.get_model_config(name), config),
        "weights": weights.hexdigest(),
        "preprocessing": model.visual.preprocess_cfg,
        "precision": dtype,
    }
    if config.runtime != "torch":
        parts["runtime"] = config.runtime
    text = json.dumps(parts, sort_keys=True, default=str)
    return f"{dtype}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _to_unit(vectors: torch.Tensor) -> npt.NDArray[np.float32]:
    unit = torch.nn.functional.normalize(vectors.float(), dim=-1)
    return unit.cpu().numpy()
