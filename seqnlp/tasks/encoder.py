"""The recurrent encoder of a task's network, as its options have it."""

from __future__ import annotations

from seqnlp.nn import recurrent
from seqnlp.tasks.network_options import NetworkOptions


def encoder(inputs: int, config: NetworkOptions) -> recurrent.Encoder:
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
        init=config.init,
    )
