"""The net: one encoder for both views, a local comparison, a cover map and three logits.

Needs torch, which only training needs.
"""
# mypy: disable-error-code="import-not-found, misc"
# torch is there only where models are made

import torch
from torch import Tensor, nn
from torch.nn import functional

_CHANNELS, _KEYS, _WIDE = 32, 24, 48
_REACH = 3
"""Cells to each side in which a thing is looked for that is no longer in its place."""
_SHIFTS = (2 * _REACH + 1) ** 2
_FIXED = 8


class FrontEnd(nn.Module):
    """Pre-processing, nothing learned: colour, structure whatever the light, contrast, focus."""

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Of N x 120 x 160 x 3 bytes, give channels for the encoder and one set per cell."""
        rgb = picture.permute(0, 3, 1, 2).float() * (1 / 255)
        bright = rgb[:, 0:1] * 0.299 + rgb[:, 1:2] * 0.587 + rgb[:, 2:3] * 0.114
        across = functional.pad((bright[..., 1:] - bright[..., :-1]).abs(), (0, 1, 0, 0))
        down = functional.pad((bright[:, :, 1:] - bright[:, :, :-1]).abs(), (0, 0, 0, 1))
        around = functional.avg_pool2d(bright, 3, 1, 1, count_include_pad=False)
        half = functional.avg_pool2d(torch.cat([rgb, bright, across, down], 1), 2)
        grey = half[:, 3:4]
        mean = _box(grey)
        deviation = torch.sqrt(_box((grey - mean) ** 2) + 2e-4)
        steps = half[:, 4:6] / (half[:, 4:6] + 0.03)
        structure = (grey - mean) / deviation * 0.5
        channels = [half[:, :3] - 0.45, structure, deviation * 5 - 0.4, steps]
        fine = functional.avg_pool2d(torch.cat([(bright - around).abs(), across + down], 1), 8)
        focus = fine[:, 0:1] / (fine[:, 1:2] + 0.01)
        texture = fine[:, 1:2] / (fine[:, 1:2] + 0.03)
        coarse = functional.avg_pool2d(torch.cat([half[:, :3], deviation * 5, steps], 1), 4)
        return torch.cat(channels, 1), torch.cat([focus, texture, coarse], 1)


class Encoder(nn.Module):
    """A view's features: 15 x 20 cells."""

    def __init__(self) -> None:
        super().__init__()
        self.front = FrontEnd()
        self.learned = nn.Sequential(
            _layer(7, 20, stride=2), _layer(20, _CHANNELS, stride=2), Residual(_CHANNELS)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Of N x 120 x 160 x 3 bytes."""
        channels, cells = self.front(picture)
        return torch.cat([self.learned(channels), cells], 1)


class Comparison(nn.Module):
    """Of live features with reference features: logits, and the logits of the cover map."""

    def __init__(self) -> None:
        super().__init__()
        both = 3 * (_CHANNELS + _FIXED) + _SHIFTS
        self.keys = nn.Conv2d(_CHANNELS, _KEYS, 1)
        self.mixed = nn.Sequential(_layer(both, _WIDE, kernel=1), Residual(_WIDE))
        self.cover = nn.Conv2d(_WIDE, 1, 1)
        self.deep = nn.Sequential(_layer(_WIDE, 64, stride=2), Residual(64))
        self.verdict = nn.Linear(2 * 64 + 2 * _FIXED + 5, 3)

    def forward(self, live: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Both N x features x 15 x 20."""
        near = self._correlations(live[:, :_CHANNELS], reference[:, :_CHANNELS])
        difference = (live - reference).abs()
        mixed = self.mixed(torch.cat([live, reference, difference, near], 1))
        cover = self.cover(mixed)
        deep = self.deep(mixed)
        hidden = torch.sigmoid(cover)
        measured = (live[:, _CHANNELS:] - reference[:, _CHANNELS:]).mean((2, 3))
        seen = torch.cat(
            [
                deep.mean((2, 3)),
                deep.amax((2, 3)),
                hidden.mean((2, 3)),
                hidden.amax((2, 3)),
                cover.mean((2, 3)) * 0.1,
                near.amax(1).mean((1, 2)).unsqueeze(1),
                near[:, _SHIFTS // 2].mean((1, 2)).unsqueeze(1),
                measured,
                live[:, _CHANNELS:].mean((2, 3)),
            ],
            1,
        )
        return self.verdict(seen), cover[:, 0]

    def _correlations(self, live: Tensor, reference: Tensor) -> Tensor:
        """Each cell with the reference's cells around its place."""
        here = functional.normalize(self.keys(live), dim=1)
        there = functional.pad(functional.normalize(self.keys(reference), dim=1), (_REACH,) * 4)
        rows, columns = here.shape[2:]
        shifts = [
            (here * there[:, :, y : y + rows, x : x + columns]).sum(1, keepdim=True)
            for y in range(2 * _REACH + 1)
            for x in range(2 * _REACH + 1)
        ]
        return torch.cat(shifts, 1)


class SiameseNet(nn.Module):
    """Reference and live pictures in, logits and cover logits out."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.comparison = Comparison()

    def forward(self, reference: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
        """Both N x 120 x 160 x 3 bytes."""
        features = self.encoder(torch.cat([live, reference]))
        count = live.shape[0]
        logits, cover = self.comparison(features[:count], features[count:])
        return logits, cover


class Deployed(nn.Module):
    """As it is used: the reference's features are known, one live view meets several of them."""

    def __init__(self, net: SiameseNet) -> None:
        super().__init__()
        self.encoder = net.encoder
        self.comparison = net.comparison

    def forward(self, reference: Tensor, live: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the live view's features, the logits and the cover map in 0 to 1."""
        features = self.encoder(live)
        met = features + torch.zeros_like(reference)  # one view is repeated for all references
        logits, cover = self.comparison(met, reference)
        return features, logits, torch.sigmoid(cover)


class Residual(nn.Module):
    """Two layers whose input is added to their output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _layer(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, given: Tensor) -> Tensor:
        """Same size out."""
        return functional.relu(given + self.second(self.first(given)))


def _layer(given: int, made: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(made),
        nn.ReLU(inplace=True),
    )


def _box(plane: Tensor, window: int = 9) -> Tensor:
    """Local mean, separable because that is many times cheaper."""
    half = window // 2
    rows = functional.avg_pool2d(plane, (1, window), 1, (0, half), count_include_pad=False)
    return functional.avg_pool2d(rows, (window, 1), 1, (half, 0), count_include_pad=False)
