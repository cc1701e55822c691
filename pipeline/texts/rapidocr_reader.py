"""Text read by RapidOCR, whose weights (PaddleOCR's, Apache-2.0) lie in its package."""

import threading
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.images.decode import ImageRejectedError
from pipeline.texts.reader import ReadText

MIN_SIDE = 8  # pixels: in an image of a smaller side nothing can be read
MIN_SCORE = 0.5
_WEIGHTS = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}
_SETTINGS = {
    "Global.log_level": "critical",
    "Global.text_score": MIN_SCORE,
    "Global.use_cls": False,  # text upside down is rare, and the check takes a fifth of the time
    # The pool keeps every core busy with an image of its own.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class RapidOcrReader:
    """RapidOCR; it keeps state while it reads, so each thread has its own."""

    def __init__(self, weights: dict[str, Path]) -> None:
        self._weights = weights
        self._own = threading.local()
        versions = {name: version(name) for name in ("rapidocr", "onnxruntime")}
        self.reader_id = make_model_id(
            "rapidocr", {**_SETTINGS, **versions}, list(weights.values())
        )

    def read(self, image: Image.Image) -> list[ReadText]:
        """Return the lines of text in an RGB image with a score of MIN_SCORE or more."""
        if min(image.size) < MIN_SIDE:
            return []
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])  # (h, w, BGR)
        try:
            found = self._engine()(pixels)
        except Exception as error:  # it raises any kind on odd sizes
            reason = f"no text can be read in it: {error or type(error).__name__}"
            raise ImageRejectedError(reason) from error
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        texts = []
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            box = (float(left), float(top), float(right - left), float(bottom - top))
            texts.append(ReadText(str(text).strip(), float(score), *box))
        return texts

    def _engine(self) -> Any:  # noqa: ANN401 - rapidocr has no types
        if not hasattr(self._own, "engine"):
            import onnxruntime
            from rapidocr import RapidOCR

            onnxruntime.disable_telemetry_events()
            # With a path given, it never tries to download weights.
            paths = {f"{part}.model_path": str(path) for part, path in self._weights.items()}
            self._own.engine = RapidOCR(params={**_SETTINGS, **paths})
        return self._own.engine


def load_reader() -> RapidOcrReader:
    """Return the reader; nothing is downloaded. Raises ConfigError when it is not installed."""
    missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"reading text in images needs {' and '.join(missing)}: pip install 'weakspot[ocr]', "
            "or leave out the attributes that are measured of text"
        )
    package = find_spec("rapidocr")
    folder = Path(package.origin).parent / "models" if package and package.origin else Path()
    weights = {part: folder / name for part, name in _WEIGHTS.items()}
    absent = [str(path) for path in weights.values() if not path.is_file()]
    if absent:
        raise ConfigError(
            f"reading text in images: the installed rapidocr has no {', '.join(absent)}; install "
            "the version that weakspot names: pip install 'weakspot[ocr]'"
        )
    return RapidOcrReader(weights)
