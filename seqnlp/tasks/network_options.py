"""Options that every task has: how text is normalised, and the sizes of a recurrent network."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp.options import option
from seqnlp.preprocess.text import normalize

CELLS = ("lstm", "gru", "rnn")  # the rows of nn.cells, which are here because help must not wait for torch


@dataclass(frozen=True)
class NetworkOptions:
    """The options of every network; a task redeclares those that it wants otherwise."""

    normalize: str = option(
        "nfkc,lower",
        f"Normalisation steps, separated by commas: {', '.join(normalize.STEPS)}; or none.",
        group="Text",
        metavar="STEPS",
    )
    embedding_size: int = option(128, "Size of the embeddings.", low=1)
    hidden_size: int = option(128, "Size of the encoder's state, in each direction.", low=1, main=True)
    layers: int = option(1, "Layers of the encoder.", low=1, high=8)
    cell: str = option("lstm", "Cell of the recurrent layers.", choices=CELLS)
    dropout: float = option(0.5, "Dropout of the inputs, between layers and of the outputs.", low=0.0, high=0.95)
    label_smoothing: float = option(0.1, "Label smoothing.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Initial recurrent weights.", choices=("orthogonal", "xavier"))
