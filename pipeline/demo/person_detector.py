"""The system under test: a small person detector, trained on whatever sample it is given.

One heatmap of body centers with a box at each (CenterNet, Zhou et al. 2019, "Objects as points"),
on a small network with skip connections. It sees pixels and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pipeline.demo.pixels import Box, Pixels
from pipeline.demo.scene_truth import HEIGHT, WIDTH

STRIDE = 8  # pixels of the image in one cell of the heatmap
GRID = (HEIGHT // STRIDE, WIDTH // STRIDE)


@dataclass(frozen=True)
class Detection:
    """One detected person: x, y, width, height in pixels of the image, and a score in 0..1."""

    box: Box
    score: float


def train_detector(
    images: Sequence[Pixels], boxes: Sequence[Sequence[Box]], *, seed: int, epochs: int = 14
) -> nn.Module:
    """Train a detector from nothing. images: as `shrink` makes them; boxes: their people."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = _Network().to(memory_format=torch.channels_last)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    targets = torch.from_numpy(np.stack([_make_target(people) for people in boxes]))
    batch = 32
    steps = epochs * (len(images) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 4e-3, total_steps=steps, pct_start=0.2
    )
    network.train()
    for step in range(steps):
        if step % (len(images) // batch) == 0:
            order = rng.permutation(len(images))
        rows = order[(step * batch) % (len(images) // batch * batch) :][:batch]
        inputs, target = _to_input(pixels[rows]), targets[rows]
        if rng.random() < 0.5:
            inputs, target = inputs.flip(3), _mirror(target)
        loss = _loss(network(inputs), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
    return network.eval()


def predict(
    network: nn.Module, images: Sequence[Pixels], *, min_score: float = 0.05
) -> list[list[Detection]]:
    """Return the detections in each image, best first."""
    found: list[list[Detection]] = []
    for start in range(0, len(images), 64):
        pixels = torch.from_numpy(np.stack(images[start : start + 64])).permute(0, 3, 1, 2)
        with torch.no_grad():
            output = network(_to_input(pixels))
        heat = output[:, :1].sigmoid()
        peak = heat == nn.functional.max_pool2d(heat, 3, stride=1, padding=1)
        heat = torch.where(peak, heat, torch.zeros(()))[:, 0]
        found += [
            _read_boxes(one.numpy(), shape.numpy(), min_score)
            for one, shape in zip(heat, output[:, 1:], strict=True)
        ]
    return found


class _Network(nn.Module):
    """Four halvings and back up to an eighth of the image; five maps: center, size, offset."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [_block(3, 16, 2), _block(16, 32, 2), _block(32, 48, 2), _block(48, 64, 2)]
        )
        self.deep = _block(64, 64, 1)
        self.side = nn.ModuleList([nn.Conv2d(width, 48, 1) for width in (32, 48, 64)])
        self.join = nn.ModuleList([_block(48, 48, 1), _block(48, 48, 1)])
        self.head = nn.Conv2d(48, 5, 1)
        # Most cells are no center: start from there.
        self.head.bias = nn.Parameter(torch.tensor([-3.0, 0.0, 0.0, 0.0, 0.0]))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels (n, 3, h, w) -> (n, 5, h / 4, w / 4)."""
        maps = []
        for layer in self.down:
            pixels = layer(pixels)
            maps.append(pixels)
        deep = self.side[2](self.deep(maps[3]))
        for join, side, skip in zip(
            self.join, (self.side[1], self.side[0]), (maps[2], maps[1]), strict=True
        ):
            raised = nn.functional.interpolate(deep, scale_factor=2.0, mode="nearest")
            deep = join(raised + side(skip))
        result: torch.Tensor = self.head(deep)
        return result


def _block(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _to_input(pixels: torch.Tensor) -> torch.Tensor:
    scaled = pixels.float().div(127.5).sub(1)
    return scaled.contiguous(memory_format=torch.channels_last)


def _make_target(people: Sequence[Box]) -> npt.NDArray[np.float32]:
    """Return (6, rows, columns): heat, log width, log height, offset x, offset y, is a center."""
    target = np.zeros((6, *GRID), dtype=np.float32)
    rows, columns = np.mgrid[: GRID[0], : GRID[1]]
    for x, y, w, h in people:
        middle = ((x + w / 2) / STRIDE, (y + h / 2) / STRIDE)
        column, row = min(int(middle[0]), GRID[1] - 1), min(int(middle[1]), GRID[0] - 1)
        spread = max(0.5, 0.16 * w / STRIDE), max(0.5, 0.13 * h / STRIDE)
        bump = np.exp(
            -((columns - column) ** 2) / (2 * spread[0] ** 2)
            - (rows - row) ** 2 / (2 * spread[1] ** 2)
        )
        target[0] = np.maximum(target[0], bump)
        target[1:, row, column] = (np.log(w), np.log(h), middle[0] - column, middle[1] - row, 1)
    return target


def _mirror(target: torch.Tensor) -> torch.Tensor:
    mirrored = target.flip(3)
    mirrored[:, 3] = torch.where(mirrored[:, 5] > 0, 1 - mirrored[:, 3], mirrored[:, 3])
    return mirrored


def _loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return CornerNet's focal loss on centers, and the L1 loss of size and offset at centers."""
    heat, center = output[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4), target[:, 5]
    count = center.sum().clamp(min=1)
    hit = -(center * (1 - heat) ** 2 * heat.log()).sum()
    spare = -((1 - center) * (1 - target[:, 0]) ** 4 * heat**2 * (1 - heat).log()).sum()
    aim = target[:, 1:5]
    shape = (output[:, 1:5] - _center_size(aim)).abs() * center[:, None]
    return (hit + spare) / count + shape.sum() / count


def _center_size(aim: torch.Tensor) -> torch.Tensor:
    """Shift the logarithms of size so that an untrained output means an average person."""
    shift = torch.tensor([3.8, 4.6, 0.0, 0.0]).view(1, 4, 1, 1)
    return aim - shift


def _read_boxes(
    heat: npt.NDArray[np.float32], shape: npt.NDArray[np.float32], min_score: float
) -> list[Detection]:
    rows, columns = np.nonzero(heat >= min_score)
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        log_w, log_h, dx, dy = (float(value) for value in shape[:, row, column])
        w, h = float(np.exp(min(log_w + 3.8, 6.0))), float(np.exp(min(log_h + 4.6, 6.0)))
        x, y = (column + dx) * STRIDE - w / 2, (row + dy) * STRIDE - h / 2
        found.append(Detection((x, y, w, h), float(heat[row, column])))
    return sorted(found, key=lambda item: -item.score)
