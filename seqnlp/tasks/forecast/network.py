"""The network: a recurrent layer over the segments of a window, from whose last state all steps ahead follow at once.

A window is read as it stands relative to its own past, and what comes out is a change of the last value, or of the
value a season ago, in units of the window's deviation: one network for series of every size. Segments that are read at
once follow SegRNN (Lin et al. 2023, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn import cells, loss
from seqnlp.tasks import base
from seqnlp.tasks.forecast import baselines, intervals
from seqnlp.tasks.forecast.options import Config

QUANTILES = (0.1, 0.5, 0.9)
TINY = 1e-6  # of the values' size, below which a window does not change


@dataclass(frozen=True)
class Batch(base.Batch):
    """Windows, (B, W), what follows them, (B, H), NaN where it is not known, and their covariates."""

    past: torch.Tensor  # of 64 bits, as are those that follow
    ahead: torch.Tensor
    future: torch.Tensor  # (B, W + H, F)
    static: torch.Tensor  # (B, D)


class Relative(NamedTuple):
    """A window as it stands relative to its past: features (B, W, 2), what is added to (B, H) and multiplied (B, 1)."""

    features: torch.Tensor
    base: torch.Tensor
    scale: torch.Tensor


def relative(past: torch.Tensor, horizon: int, season: int, subtract: str) -> Relative:
    """Return windows (B, W) relative to their own past.

    The features are the deviation from the mean and the change over a season, or from step to step, in units of the
    standard deviation, which is 0 where all values are the same.
    """
    mean, last = past.mean(1, keepdim=True), past[:, -1:]
    deviation = (past - mean).square().mean(1, keepdim=True).sqrt()
    scale = torch.where(deviation > TINY * mean.abs(), deviation, torch.zeros_like(deviation))
    divisor = torch.where(scale > 0, scale, torch.ones_like(scale))
    lag = season if season < past.size(1) else 1
    change = functional.pad(past[:, lag:] - past[:, :-lag], (min(lag, past.size(1)), 0))
    center = last if subtract == "last" else mean
    features = torch.stack([(past - center) / divisor, change / divisor], 2) * (scale > 0).unsqueeze(2)
    steps = torch.arange(horizon, device=past.device)
    base = past[:, past.size(1) - season + steps % season] if subtract == "seasonal" else last.expand(-1, horizon)
    return Relative(features.float(), base, scale)


class Forecaster(nn.Module):
    """From windows to quantiles of what follows, or to one value a step."""

    def __init__(self, config: Config, future: int, static: int) -> None:
        super().__init__()
        assert config.horizon and config.window and config.season and config.segment and config.subtract
        self.config = config
        self.horizon, self.season, self.segment = config.horizon, config.season, config.segment
        self.subtract, self.outputs = config.subtract, len(QUANTILES) if config.loss == "quantile" else 1
        size = config.hidden_size
        self.segments = nn.Linear(self.segment * (2 + future) + static, size)
        self.layers = nn.ModuleList(cells.layer(config.cell, size, size) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(size + self.horizon * future + static, self.horizon * self.outputs)
        with torch.no_grad():
            self.output.weight.mul_(0.1)
        self.method: torch.Tensor
        self.errors: torch.Tensor
        self.register_buffer("method", torch.tensor(baselines.METHODS.index(baselines.NETWORK)))
        self.register_buffer("errors", torch.zeros(self.horizon, len(intervals.GRID)))

    def changes(self, batch: Batch, found: Relative) -> torch.Tensor:
        """Return what comes out for each step, (B, H, Q), in units of the scale."""
        b, w, _ = found.features.shape
        steps = torch.cat([found.features, batch.future[:, :w]], 2)
        segments = steps.reshape(b, w // self.segment, -1)  # (B, W / segment, segment x features)
        static = batch.static.unsqueeze(1).expand(-1, segments.size(1), -1)
        outputs = torch.relu(self.segments(torch.cat([segments, static], 2)))
        lengths = torch.full((b,), segments.size(1), device=outputs.device)
        for layer in self.layers:
            outputs, _ = layer.run(outputs, lengths, None)  # type: ignore[operator]
        last = self.dropout(outputs[:, -1])
        ahead = batch.future[:, w:].flatten(1)
        changes: torch.Tensor = self.output(torch.cat([last, ahead, batch.static], 1))
        return changes.float().reshape(b, self.horizon, self.outputs)

    def forecast(self, batch: Batch) -> torch.Tensor:
        """Return the forecasts, (B, H, Q)."""
        found = relative(batch.past, self.horizon, self.season, self.subtract)
        changes: torch.Tensor = found.base.unsqueeze(2) + found.scale.unsqueeze(2) * self.changes(batch, found)
        return changes

    def forward(self, batch: Batch, carry: None = None) -> loss.Loss:
        """Return the loss, relative to the windows' level or deviation; windows that do not change teach nothing."""
        found = relative(batch.past, self.horizon, self.season, self.subtract)
        counted = (found.scale > 0) & ~batch.ahead.isnan()  # (B, H)
        divisor = torch.where(found.scale > 0, found.scale, torch.ones_like(found.scale))
        wanted = torch.where(counted, (batch.ahead - found.base) / divisor, 0.0).float()
        errors = _errors(wanted.unsqueeze(2) - self.changes(batch, found), self.config.loss)
        if self.config.relative_to == "level":
            ratio = (divisor / batch.past.abs().mean(1, keepdim=True).clamp(min=TINY * divisor)).float()
            errors = errors * (ratio.square() if self.config.loss == "mse" else ratio)
        return loss.Loss((errors * counted).sum(), counted.sum().float())


def _errors(rest: torch.Tensor, kind: str) -> torch.Tensor:
    """The loss of each step, (B, H), of what is left over, (B, H, Q): of quantiles the mean (Koenker 1978)."""
    if kind == "mse":
        return rest.square().sum(2)
    if kind == "mae":
        return rest.abs().sum(2)
    levels = torch.tensor(QUANTILES, device=rest.device)
    return 2 * torch.maximum(levels * rest, (levels - 1) * rest).mean(2)
