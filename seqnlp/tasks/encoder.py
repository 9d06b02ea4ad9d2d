"""The recurrent encoder of a task's network, as its options have it."""

from __future__ import annotations

from dataclasses import replace

from seqnlp.nn import recurrent
from seqnlp.tasks.network_options import NetworkOptions


def forward(inputs: int, config: NetworkOptions, weight_dropout: float = 0.0) -> recurrent.Encoder:
    """Return the encoder that reads forward only, whatever the direction."""
    return encoder(inputs, replace(config, direction="forward"), weight_dropout)


def encoder(inputs: int, config: NetworkOptions, weight_dropout: float = 0.0) -> recurrent.Encoder:
    """Return an encoder of features of a size, its weights drawn from torch's generator."""
    return recurrent.Encoder(
        inputs,
        config.hidden_size,
        cell=config.cell,
        layers=config.layers,
        bidirectional=config.direction == "both",
        dropout=config.dropout,
        residual=config.residual,
        layer_norm=config.layer_norm,
        heads=config.self_attention,
        weight_dropout=weight_dropout,
        init=config.init,
    )
