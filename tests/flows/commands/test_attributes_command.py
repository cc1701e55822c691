"""`weakspot attributes`: what it prints, its exit codes, and the preview page."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner

from flows.commands.attributes import make_app
from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import EncoderCard
from pipeline.exceptions import ConfigError, EncoderError

TINT = """\
name = "tint"
kind = "prompts"
templates = ["{}"]
[values]
red = ["red", "crimson", "ruby", "scarlet"]
blue = ["blue", "navy", "azure", "indigo"]
"""
COLORS = {"red": (255, 0, 0), "blue": (0, 0, 255)}
RED = {"red", "crimson", "ruby", "scarlet"}


class ColorEncoder:
    """Encode an image by its mean color and a word by the color it means."""

    encoder_id = "colors"
    logit_scale = 10.0
    dim = 3
    in_workers = False
    card = EncoderCard("colors", None, "colors", 3, 10.0)

    def prepare(self, image: Image.Image) -> npt.NDArray[np.float32]:
        mean: npt.NDArray[np.float32] = np.asarray(image).mean(axis=(0, 1)).astype(np.float32)
        return mean + 1

    def encode_pixels(
        self, pixels: npt.NDArray[np.float32], *, batch_size: int
    ) -> npt.NDArray[np.float32]:
        assert batch_size
        return pixels

    def encode_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        return np.stack([self.prepare(image) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([COLORS["red" if t in RED else "blue"] for t in texts], dtype=np.float32)


def load_colors(config: EncoderConfig) -> ColorEncoder:
    assert config.model
    return ColorEncoder()


def refuse(config: EncoderConfig) -> ColorEncoder:
    raise AssertionError(f"{config.model} must not be loaded")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name, color in (("a", "red"), ("b", "blue"), ("<i>c", "red")):
        Image.new("RGB", (40, 20), COLORS[color]).save(folder / f"{name}.png")
    (folder / "broken.jpg").write_text("no image", encoding="utf-8")
    return folder


def write(folder: Path, text: str, name: str = "tint.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(make_app(load_colors), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_list_names_kind_target_and_values() -> None:
    code, text = run("list")
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert code == 0
    assert lines["person/hat"].split() == ["person/hat", "prompts", "object", "yes,", "no"]
    assert "<= 32, (32, 64]" in lines["object/height"]
    assert "4 quantiles of sharpness" in lines["image/sharpness"]
    assert "perceived" in lines["person/gender"]


def test_list_as_json_is_one_object() -> None:
    rows = json.loads(run("list", "--json")[1])["attributes"]
    hat = next(row for row in rows if row["name"] == "person/hat")
    assert hat == {
        "name": "person/hat",
        "attribute": "hat",
        "kind": "prompts",
        "applies_to": "object",
        "sensitive": False,
        "values": ["yes", "no"],
    }


def test_check_tells_every_fault_of_every_file(tmp_path: Path) -> None:
    good = write(tmp_path, TINT)
    bad = write(tmp_path, TINT.replace("crimson", "not blue").replace("{}", "x"), "bad.toml")
    broken = write(tmp_path, "name = ", "broken.toml")
    code, text = run("check", good, bad, broken)
    assert code == 1
    assert text.splitlines()[0] == f"{good}: ok"
    assert f"{bad}: line 3: template 'x' needs {{}} once" in text
    assert f"{bad}: line 5: 'not blue' says 'not'" in text
    assert f"{broken}: cannot be read as TOML" in text


def test_check_passes_with_warnings_alone(tmp_path: Path) -> None:
    path = write(tmp_path, TINT.replace(', "scarlet"', ""))
    code, text = run("check", path)
    assert (code, "line 5: warning: value 'red' has 3 wordings" in text) == (0, True)


def test_a_fault_that_quotes_the_word_warning_fails(tmp_path: Path) -> None:
    assert run("check", write(tmp_path, TINT.replace("crimson", "no warning: x")))[0] == 1


def test_check_as_json_is_one_object(tmp_path: Path) -> None:
    path = write(tmp_path, TINT.replace("crimson", "not blue"))
    code, text = run("check", path, "--json")
    [row] = json.loads(text)["files"]
    assert (code, row["file"], row["ok"], len(row["problems"])) == (1, path, False, 1)


def test_check_of_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "gone.toml"))[0] == 2


def test_preview_shows_each_value_with_its_samples(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "pages" / "page.html"
    code, text = run("preview", write(tmp_path, TINT), str(images), "--out", str(out))
    page = out.read_text(encoding="utf-8")
    assert code == 0
    assert text.splitlines()[:3] == ["red: 2", "blue: 1", "unknown: 0"]
    assert page.count('src="data:image/jpeg;base64,') == 3
    assert "score 1.00" in page
    assert "<bdi>broken.jpg</bdi>: its content is no image" in page
    assert page.index("red <small>2 of 3") < page.index("blue <small>1 of 3")


def test_preview_escapes_what_comes_from_files(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "page.html"
    text = TINT.replace('"tint"', '"<script>x</script>"').replace("red = [", '"<b>red" = [')
    run("preview", write(tmp_path, text), str(images), "--out", str(out))
    page = out.read_text(encoding="utf-8")
    assert "&lt;i&gt;c.png" in page
    assert not any(mark in page for mark in ("<script", "<i>c", "<b>red"))


def test_preview_of_a_measure_loads_no_encoder(tmp_path: Path, images: Path) -> None:
    out = tmp_path / "page.html"
    arguments = ["preview", "object/height", str(images), "--out", str(out)]
    result = CliRunner().invoke(make_app(refuse), arguments)
    assert result.stdout.splitlines()[0] == "<= 32: 3"


def test_preview_of_a_raw_measure_bins_the_pixels(tmp_path: Path, images: Path) -> None:
    text = 'name = "dark"\nkind = "measured"\nmeasure = "brightness"\nedges = [0.2]\n'
    _, told = run("preview", write(tmp_path, text), str(images), "--out", str(tmp_path / "p.html"))
    assert told.splitlines()[:3] == ["<= 0.2: 1", "> 0.2: 2", "unknown: 0"]


def test_preview_of_a_given_attribute_is_refused(tmp_path: Path, images: Path) -> None:
    path = write(tmp_path, 'name = "split"\nkind = "given"\n')
    with pytest.raises(ConfigError, match="only attributes of kind prompts or measured"):
        run("preview", path, str(images))


def test_preview_of_an_unknown_name_tells_the_nearest(images: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'person/hat'"):
        run("preview", "person/hatt", str(images))


def test_an_encoder_without_weights_is_told(images: Path) -> None:
    with pytest.raises(EncoderError, match="needs --pretrained"):
        run("preview", "person/hat", str(images), "--encoder", "ViT-L-14")


def test_listing_loads_neither_torch_nor_prefect() -> None:
    code = (
        "import sys; from flows.commands.attributes import app;"
        "app(['list'], standalone_mode=False);"
        "sys.exit([m for m in ('torch', 'open_clip', 'prefect', 'scipy') if m in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_preview_of_a_measure_tells_when_no_image_can_be_decoded(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Image.effect_noise((64, 64), 50).save(whole)
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "half.png").write_bytes(whole.read_bytes()[:1500])
    page = tmp_path / "page.html"
    code, told = run("preview", "image/sharpness", str(folder), "--out", str(page))
    assert (code, "unknown: 0" in told) == (0, True)
    assert "<bdi>half.png</bdi>: it is truncated" in page.read_text(encoding="utf-8")
